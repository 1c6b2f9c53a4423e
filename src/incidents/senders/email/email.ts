// An e-mail about trouble: as it travels (RFC 5322 text), or as services that receive mail post it (Mailgun, SendGrid,
// Postmark and the like: a subject and a body under the names they use). Only its subject and plain text are read.
import { z } from 'zod'
import { completeAlert, type IncomingAlert, notUnderstood } from '../../incoming-alert.ts'
import { isObject, text } from '../loose.ts'
import type { Sender } from '../sender.ts'
import { readPlainText } from '../text-rules.ts'
import { parseAnyTime } from '../../alert-times.ts'

export const email: Sender = {
  name: 'email',
  aliases: ['mail'],
  title: 'e-mail',
  recognises: (body) =>
    ('body-plain' in body || 'stripped-text' in body || 'TextBody' in body || 'envelope' in body) &&
    ('subject' in body || 'Subject' in body),
  read: (body, { nowMs }) => {
    const said = posted.parse(body)
    const mail = {
      subject: said.subject ?? said.Subject,
      from: said.from ?? said.From ?? said.sender,
      date: said.Date ?? said.date ?? said.timestamp,
      body: said['stripped-text'] ?? said['body-plain'] ?? said.TextBody ?? said.text ?? said.body ?? said.plain ?? '',
    }
    const whole = isObject(body) && mail.subject === undefined ? (said.email ?? said.raw) : undefined
    return { alerts: [readMail(whole === undefined ? mail : parseMail(whole), body, nowMs)] }
  },
  readText: (given, { nowMs }) => ({ alerts: [readMail(parseMail(given), given, nowMs)] }),
}

interface Mail {
  readonly subject: string | undefined
  readonly from: string | undefined
  readonly date: string | undefined
  readonly body: string
}

const posted = z.object({
  subject: text,
  Subject: text,
  from: text,
  From: text,
  sender: text,
  Date: text,
  date: text,
  timestamp: text,
  'stripped-text': text,
  'body-plain': text,
  TextBody: text,
  text: text,
  body: text,
  plain: text,
  email: text,
  raw: text,
})

function readMail(mail: Mail, raw: unknown, nowMs: number): IncomingAlert {
  const said = readPlainText(mail)
  if (!said?.telling) return notUnderstood('e-mail', 'neither subject nor text says that anything is wrong', raw, nowMs)
  const { host } = said.labels
  return completeAlert(
    {
      ...said,
      toldAtMs: parseAnyTime(mail.date),
      identifiedBy: { name: said.name, from: mail.from, host, service: said.service },
      annotations: { ...said.annotations, from: mail.from },
    },
    nowMs,
  )
}

/** Headers, a blank line, the text. Of several parts the first plain one. */
function parseMail(given: string): Mail {
  const lines = given.replaceAll('\r\n', '\n')
  const end = lines.indexOf('\n\n')
  const headers = headersOf(end < 0 ? lines : lines.slice(0, end))
  if (!headers.has('subject') && !headers.has('from')) {
    const [subject = '', ...rest] = lines.trim().split('\n')
    return { subject, from: undefined, date: undefined, body: rest.join('\n') }
  }
  const content = end < 0 ? '' : lines.slice(end + 2)
  const boundary = /boundary="?([^";\n]{1,100})"?/i.exec(headers.get('content-type') ?? '')?.[1]
  const part = boundary === undefined ? { headers, content } : plainPart(content, boundary)
  return {
    subject: decodeWords(headers.get('subject')),
    from: decodeWords(headers.get('from')),
    date: headers.get('date'),
    body: decodePart(part.content, part.headers.get('content-transfer-encoding')),
  }
}

function headersOf(block: string): ReadonlyMap<string, string> {
  const headers = new Map<string, string>()
  // A line that begins with a blank goes on with the header before it.
  for (const line of block.replaceAll(/\n[ \t]+/g, ' ').split('\n')) {
    const [, name, value] = /^([A-Za-z-]{1,60}):[ \t]*(.*)$/.exec(line) ?? []
    if (name !== undefined && !headers.has(name.toLowerCase())) headers.set(name.toLowerCase(), (value ?? '').trim())
  }
  return headers
}

function plainPart(content: string, boundary: string): { headers: ReadonlyMap<string, string>; content: string } {
  const pieces = content.split(`--${boundary}`).slice(1)
  const parts = pieces.map((piece) => {
    const end = piece.indexOf('\n\n')
    return { headers: headersOf(end < 0 ? '' : piece.slice(0, end)), content: end < 0 ? piece : piece.slice(end + 2) }
  })
  return (
    parts.find((one) => (one.headers.get('content-type') ?? 'text/plain').startsWith('text/plain')) ??
    parts[0] ?? { headers: new Map(), content }
  )
}

function decodePart(content: string, encoding: string | undefined): string {
  if (/^base64$/i.test(encoding ?? '')) return Buffer.from(content, 'base64').toString('utf8')
  return /^quoted-printable$/i.test(encoding ?? '') ? decodeQuoted(content.replaceAll('=\n', '')) : content
}

/** RFC 2047: `=?utf-8?B?…?=`. */
const decodeWords = (value: string | undefined): string | undefined =>
  value
    ?.replaceAll(/\?=\s+=\?/g, '?==?')
    .replaceAll(/=\?[^?]{1,40}\?([BbQq])\?([^?]{0,500})\?=/g, (_, how: string, what: string) =>
      /b/i.test(how) ? Buffer.from(what, 'base64').toString('utf8') : decodeQuoted(what.replaceAll('_', ' ')),
    )

const decodeQuoted = (given: string): string =>
  given.replaceAll(/(?:=[0-9A-Fa-f]{2})+/g, (run) => Buffer.from(run.replaceAll('=', ''), 'hex').toString('utf8'))
