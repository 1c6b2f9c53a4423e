// One news as a letter: plain text first, and the same in the least of HTML. Its Message-ID comes from the news alone, so that
// the same letter sent twice is the same letter to whoever keeps it; what follows refers to the first, which makes a thread.
import { createHash } from 'node:crypto'
import type { News } from '../channel.ts'
import { type Part, sayClosed, sayIncident, titleOf } from '../ticket-words.ts'

export interface Letter {
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly messageId: string
  /** The first letter of the thread. */
  readonly inReplyTo: string | undefined
}

/** `domain` is that of the sender. */
export function writeLetter(news: News, domain: string): Letter {
  const { incident, kind, step, trace, key, to } = news
  const parts: readonly Part[] = [...opening(news), ...sayIncident(incident, step)]
  const messageId = `<midwatch.${digest(`${key} ${to ?? ''}`)}@${domain}>`
  const first = trace?.reference
  return {
    // The same for all of an incident: many clients make threads of equal subjects alone.
    subject: `[incident ${incident.number}] ${titleOf(incident, 150)}`,
    text: `${parts.map(textOf).join('\n\n')}\n\n-- \nMidwatch wrote this (${kind}). Nobody reads answers to it.\n`,
    html: `<!doctype html><html><body>${parts.map(htmlOf).join('')}<hr><p>Midwatch wrote this (${kind}). Nobody reads answers to it.</p></body></html>`,
    messageId,
    inReplyTo: first === undefined || first === messageId ? undefined : first,
  }
}

function opening({ kind, step, incident }: News): readonly Part[] {
  const said = ((): string | undefined => {
    switch (kind) {
      case 'opened':
        return step === 'opened' ? 'An incident was opened.' : 'It has begun again.'
      case 'proposed':
        return 'A fix is proposed and waits for a decision.'
      case 'decided':
        return 'The proposed fix was decided on.'
      case 'acted':
        return 'A fix was carried out.'
      case 'verified':
        return 'The symptom was looked at again.'
      case 'escalated':
        return 'Nobody looks after it yet: whoever is on call is asked to.'
      case 'acknowledged':
        return 'Somebody looks after it.'
      case 'closed':
        return sayClosed(incident)
      case 'diagnosed':
        return undefined
    }
  })()
  return said === undefined ? [] : [{ kind: 'text', text: said }]
}

function textOf(part: Part): string {
  switch (part.kind) {
    case 'text':
      return part.text
    case 'list':
      return [`${part.title}:`, ...part.items.map((item) => `  - ${item}`)].join('\n')
    case 'link':
      return `${part.text}: ${part.url}`
  }
}

function htmlOf(part: Part): string {
  switch (part.kind) {
    case 'text':
      return `<p>${escapeHtml(part.text)}</p>`
    case 'list':
      return `<p><strong>${escapeHtml(part.title)}</strong></p><ul>${part.items.map((item) => `<li>${escapeHtml(item)}</li>`).join('')}</ul>`
    case 'link':
      return `<p><a href="${escapeHtml(part.url)}">${escapeHtml(part.text)}</a></p>`
  }
}

const escapeHtml = (text: string): string => text.replaceAll(/[&<>"']/g, (found) => `&#${found.charCodeAt(0)};`)

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32)
