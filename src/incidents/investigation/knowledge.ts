// Asks the knowledge base for the runbook of an incident. What comes back here is shown to people as quotes; a model that
// has a say reads passages of its own search, as data (inquiry/). Nothing in either can add an action, for those come out of
// the catalogue alone. A quote is what the retriever gave, character by character, or it is not shown.
import { z } from 'zod'
import { appendAudit } from '../../audit/log.ts'
import { withDeadline } from '../../core/deadline.ts'
import { AppError, describeError } from '../../core/errors.ts'
import type { Cause } from '../../diagnosis/evidence.ts'
import type { FoundPassage, Retrieved, Retriever } from '../../llm/retriever.ts'
import type { Report } from '../report.ts'
import type { AlertRow, IncidentRow } from '../tables.ts'
import type { InvestigationContext, InvestigationDb } from './context.ts'
import { hidePrivate } from './model/hide.ts'
import { speaksToMachine } from './model/screen.ts'

export type RunbookQuote = NonNullable<Report['runbooks']>[number]

export interface Consulted {
  readonly runbooks: readonly RunbookQuote[]
  readonly blind: Report['blind']
}

const DEADLINE_MS = 5000
const PASSAGES = 4
const MOST_SHOWN = 2
const MAX_QUOTE = 600
/** Shorter than this a quote tells nothing. */
const MIN_QUOTE = 20
const MAX_QUESTION = 1000

type AskContext = Pick<InvestigationContext, 'db' | 'retriever' | 'config' | 'clock' | 'log'>
type AboutIncident = Pick<IncidentRow, 'id' | 'tenant'>

/**
 * Asks the collections of the config. The knowledge base may have models of its own to help it search, so that a question
 * is held to what holds for a prompt: nothing private in it, and written down before it leaves.
 */
export async function askKnowledge(
  { db, config, clock }: Pick<AskContext, 'db' | 'config' | 'clock'>,
  retriever: Retriever,
  { id: subject, tenant }: AboutIncident,
  question: string,
  signal: AbortSignal,
): Promise<Retrieved> {
  const { collections } = config.knowledge
  const text = hidePrivate(question)
  await db
    .transaction()
    .execute((trx: InvestigationDb) =>
      appendAudit(trx, [
        { tenant, at: clock.now(), actor: 'agent', kind: 'knowledge.question', subject, body: { collections, text } },
      ]),
    )
  return await withDeadline(clock, DEADLINE_MS, signal, (inner) =>
    retriever.retrieve({ tenant, text, collections, topK: PASSAGES }, inner),
  )
}

/** Never throws, except when `signal` aborts: who cannot be asked is told as blind. */
export async function consultRunbooks(
  context: AskContext,
  incident: AboutIncident,
  alerts: readonly AlertRow[],
  cause: Cause | undefined,
  signal: AbortSignal,
): Promise<Consulted> {
  const { retriever, config, log } = context
  if (config.knowledge.collections.length === 0) return { runbooks: [], blind: [] }
  if (!retriever) return blindTo('this process has no knowledge base')
  const text = questionOf(alerts, cause)
  if (text === '') return { runbooks: [], blind: [] }
  try {
    const { passages, none, confidence } = await askKnowledge(context, retriever, incident, text, signal)
    if (none) return { runbooks: [], blind: [] }
    const documents = new Set<string>()
    const runbooks = passages.flatMap((passage) => {
      const document = `${passage.collection} ${passage.document}`
      if (documents.has(document)) return []
      documents.add(document)
      const quoted = quoteOf(passage, confidence)
      return quoted && checkQuote(quoted, passage) ? [quoted] : []
    })
    return { runbooks: runbooks.slice(0, MOST_SHOWN), blind: [] }
  } catch (error) {
    signal.throwIfAborted()
    log.warn({ err: error }, 'the knowledge base could not be asked')
    return blindTo((error instanceof AppError ? error.message : describeError(error)).slice(0, 300))
  }
}

const blindTo = (reason: string): Consulted => ({ runbooks: [], blind: [{ source: 'knowledge', reason }] })

const labelsSchema = z.record(z.string(), z.string())
/** Labels that say who watched or where, and nothing about the trouble. */
const NOT_TELLING = /^(prometheus|__|instance$|pod|container_id|uid|region$|zone$|cluster$|env|severity$)/

/** The names of the alerts, what they say, and the cause, each once. */
export function questionOf(alerts: readonly AlertRow[], cause: Cause | undefined): string {
  const said = new Set<string>()
  if (cause) said.add(`${cause.kind.replaceAll('_', ' ')} ${cause.service}`)
  for (const { name } of alerts) said.add(name)
  for (const { labels, annotations } of alerts.slice(0, 5)) {
    const { summary = '', description = '' } = labelsSchema.catch({}).parse(JSON.parse(annotations))
    if (summary !== '') said.add(summary)
    if (description !== '' && summary === '') said.add(description)
    for (const [label, value] of Object.entries(labelsSchema.catch({}).parse(JSON.parse(labels))))
      if (!NOT_TELLING.test(label) && value.length <= 60) said.add(value)
  }
  return [...said].join('\n').slice(0, MAX_QUESTION).toWellFormed().trim()
}

/** What commands a terminal, and what is there without being seen: a quote ends before it. */
const UNSHOWABLE =
  // oxlint-disable-next-line no-control-regex -- these are what must not be shown
  /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF\u{E0000}-\u{E007F}]/u

/** The first stretch of the passage that can be shown as it is, up to the end of a sentence or line. */
function quoteOf(passage: FoundPassage, confidence: number): RunbookQuote | undefined {
  const { collection, document, title, source, headings, text, page } = passage
  let at = 0
  for (const stretch of text.split(UNSHOWABLE)) {
    const from = text.indexOf(stretch, at)
    at = from + stretch.length
    const lead = stretch.length - stretch.trimStart().length
    const quote = endWell(stretch.trim())
    if (quote.length < MIN_QUOTE || !quote.isWellFormed()) continue
    // A format whose text was put together anew has no places in it: then the whole passage is cited.
    const exact = passage.end - passage.start === text.length
    const start = exact ? passage.start + from + lead : passage.start
    const end = exact ? start + quote.length : passage.end
    const suspicious = speaksToMachine(text)
    return {
      collection,
      document,
      title,
      source,
      headings: [...headings],
      quote,
      start,
      end,
      page,
      confidence,
      suspicious,
    }
  }
  return undefined
}

function endWell(text: string): string {
  if (text.length <= MAX_QUOTE) return text
  const head = text.slice(0, MAX_QUOTE)
  const end = Math.max(head.lastIndexOf('\n'), head.lastIndexOf('. ') + 1, head.lastIndexOf('\n```'))
  return (end > MAX_QUOTE / 2 ? head.slice(0, end) : head.slice(0, Math.max(head.lastIndexOf(' '), 1))).trimEnd()
}

/** Whether the quote stands in the passage, word for word, and where it says. */
export function checkQuote({ quote, start, end }: RunbookQuote, passage: FoundPassage): boolean {
  const exact = passage.end - passage.start === passage.text.length
  if (!exact) return start === passage.start && end === passage.end && passage.text.includes(quote)
  return passage.text.slice(start - passage.start, end - passage.start) === quote
}
