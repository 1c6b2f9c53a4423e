// Asks a model to say the sentence better. It is a favour and nothing depends on it: its words are taken only when every
// number and name in them is in the claims and they name the same cause; else the sentence made by rules stays.
import type { Cause } from '../../diagnosis/evidence.ts'
import type { Log } from '../../observe/log.ts'
import type { Asker } from './model/asker.ts'
import { KIND_WORDS } from './sentence.ts'

export interface Wording {
  readonly sentence: string
  /** `rules`, or the model's name. */
  readonly writtenBy: string
}

export interface WordingInput {
  readonly incidentId: string
  /** Made by rules; what stays when the model is of no use. */
  readonly sentence: string
  readonly causes: readonly Cause[]
  /** Every name that is one of a service. */
  readonly services: readonly string[]
}

export interface WordingContext {
  readonly asker: Asker
  readonly log: Log
}

const MAX_LENGTH = 400

const TASK = [
  'You reword one sentence about an incident for the engineer on call.',
  'Keep every fact: who is hurt and how much, the cause, since when, and the change before it, in that order, with "because" before the cause.',
  'Use no number, time or name that is not in the material. Add nothing. Plain short English, one sentence, no quotes around it.',
].join('\n')

/** Never throws, except when `signal` aborts. */
export async function wordSentence(
  { asker, log }: WordingContext,
  input: WordingInput,
  signal: AbortSignal,
): Promise<Wording> {
  const ours: Wording = { sentence: input.sentence, writtenBy: 'rules' }
  const [cause] = input.causes
  if (!cause) return ours
  const pieces = [
    { origin: 'midwatch' as const, text: input.sentence },
    // Templates of logs and summaries of changes stand in them.
    ...cause.evidence.map(({ claim }) => ({ origin: 'log' as const, text: claim })),
  ]
  const said = await asker.ask<string>({ step: 'wording', size: 'small', task: TASK, pieces, maxTokens: 200 }, signal)
  if (said.kind !== 'answered') return ours
  const verdict = checkWording(said.value, input)
  if (verdict.accepted) return { sentence: said.value, writtenBy: said.model }
  log.info({ incident: input.incidentId, reason: verdict.reason }, "the model's wording was not taken")
  return ours
}

export type WordingVerdict = { readonly accepted: true } | { readonly accepted: false; readonly reason: string }

/** Whether the words say nothing that the claims do not. */
export function checkWording(words: string, { sentence, causes, services }: WordingInput): WordingVerdict {
  const no = (reason: string): WordingVerdict => ({ accepted: false, reason })
  const [cause] = causes
  if (!cause) return no('there is no cause to word')
  if (words.length < 20 || words.length > MAX_LENGTH) return no('it is too short or too long')
  if (/[\p{Cc}<>{}[\]`|*#]|https?:/u.test(words)) return no('it is not one plain line')
  if (!/[.]$/.test(words) || /[.!?]\s+\p{Lu}/u.test(words)) return no('it is not one sentence')
  const claims = [sentence, ...cause.evidence.map(({ claim }) => claim)].join('\n')
  const strange = strangeFact(words, claims, services)
  if (strange !== undefined) return no(`${strange} is not in the claims`)
  const lower = words.toLowerCase()
  if (NEGATION.test(words) && !NEGATION.test(sentence)) return no('it denies something')
  const [, reason] = lower.split(' because ', 2)
  if (reason === undefined) return no('it gives no cause')
  if (firstMentioned(reason, services) !== cause.service) return no('it names another cause')
  if (!KIND_WORDS[cause.kind].test(reason)) return no('it names another kind of cause')
  return { accepted: true }
}

/** The first number, time, version or service's name in the words that the claims do not have. */
export function strangeFact(words: string, claims: string, services: readonly string[]): string | undefined {
  const known = new Set(factsIn(claims))
  const [said, claimed] = [words.toLowerCase(), claims.toLowerCase()]
  return (
    factsIn(words).find((fact) => !known.has(fact)) ??
    services.find((service) => mentions(said, service) && !mentions(claimed, service))
  )
}

const NEGATION = /\b(not|no|never|without|unrelated|isn't|wasn't|didn't|doesn't|cannot|ruled out)\b/i

/** Numbers, times, versions and identifiers: every word with a digit in it. */
const factsIn = (text: string): string[] =>
  (text.match(/[\p{L}\d][\p{L}\d.:_/-]*/gu) ?? [])
    .filter((word) => /\d/.test(word))
    .map((word) => word.replace(/[.:,]+$/, '').toLowerCase())

function mentions(lowerText: string, service: string): boolean {
  return positionOf(lowerText, service) >= 0
}

/** Where a service's name stands as a word of its own. */
function positionOf(lowerText: string, service: string): number {
  const name = service.toLowerCase()
  for (let at = lowerText.indexOf(name); at >= 0; at = lowerText.indexOf(name, at + 1)) {
    const before = lowerText[at - 1] ?? ' '
    const after = lowerText[at + name.length] ?? ' '
    if (!/[\p{L}\d_-]/u.test(before) && !/[\p{L}\d_-]/u.test(after)) return at
  }
  return -1
}

function firstMentioned(lowerText: string, services: readonly string[]): string | undefined {
  return services
    .map((service) => ({ service, at: positionOf(lowerText, service) }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => a.at - b.at || b.service.length - a.service.length)[0]?.service
}
