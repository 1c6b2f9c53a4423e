// Scripted models, as good and as bad as they come: one that says what the lines say, one that lies fluently and cites real
// lines for it, one that does whatever it reads, one that answers garbage, one that never answers. They read prompts as a model
// would: the pieces between the markers.
import { z } from 'zod'
import { type ChatModel, type ChatRequest, NO_USAGE } from '../../../llm/chat.ts'

export interface ScriptedModel extends ChatModel {
  readonly asked: ChatRequest[]
}

const piece = z.object({ from: z.string(), flagged: z.boolean().optional(), text: z.string() })
export type PromptPiece = z.infer<typeof piece>

/** The data of a prompt, as it reads. */
function readPieces(request: ChatRequest): PromptPiece[] {
  const data = request.messages.find(({ content }) => content.startsWith('<<<data '))?.content ?? ''
  return data
    .split('\n')
    .slice(1, -1)
    .map((line) => piece.parse(JSON.parse(line)))
}

interface Candidate {
  readonly service: string
  readonly kind: string
}

function candidatesIn(pieces: readonly PromptPiece[]): Candidate[] {
  return pieces.flatMap(({ text }) => {
    const [, service, kind] = /^candidate \d+: (.+), (\w+), confidence/.exec(text) ?? []
    return service === undefined || kind === undefined ? [] : [{ service, kind }]
  })
}

/** `metrics.1.2 | …` */
const rowsIn = (pieces: readonly PromptPiece[]): { id: string; text: string }[] =>
  pieces.flatMap(({ text }) => {
    const [, id, rest] = /^([a-z]+\.\d+\.\d+) \| (.*)$/s.exec(text) ?? []
    return id === undefined || rest === undefined ? [] : [{ id, text: rest }]
  })

type Say = (step: string, pieces: readonly PromptPiece[], request: ChatRequest) => string

export function scripted(name: string, say: Say): ScriptedModel {
  const asked: ChatRequest[] = []
  return {
    asked,
    complete: async (request, signal) => {
      signal.throwIfAborted()
      asked.push(request)
      const text = say(request.jsonSchema?.name ?? 'wording', readPieces(request), request)
      const length = request.messages.reduce((sum, { content }) => sum + content.length, 0)
      // About four characters a token, at the list price of a small model: $0.15 and $0.60 a million.
      const [inputTokens, outputTokens] = [Math.ceil(length / 4), Math.ceil(text.length / 4)]
      const usage = { ...NO_USAGE, inputTokens, outputTokens }
      return { text, model: name, usage, costMicroUsd: inputTokens * 0.15 + outputTokens * 0.6 }
    },
  }
}

const NO_QUERY = { tool: 'neighbours', service: null, metric: null, contains: null, handle: null, offset: null }

/** Accuses one candidate with every line that speaks of it. */
function accuse(step: string, pieces: readonly PromptPiece[], accused: Candidate | undefined): string {
  const rows = accused ? rowsIn(pieces).filter(({ text }) => text.includes(accused.service)) : []
  const claims = rows.slice(0, 6).map(({ id, text }) => ({ row: id, says: text.slice(0, 400) }))
  const opinions = accused && claims.length > 0 ? [{ ...accused, claims }] : []
  if (step === 'judge') return JSON.stringify({ opinions })
  if (step === 'lead') return JSON.stringify({ questions: [] })
  if (step === 'critic')
    return JSON.stringify({ query: { ...NO_QUERY, service: accused?.service ?? null }, refutedBy: 'something_found' })
  return JSON.stringify({ queries: [], hypotheses: opinions, enough: true })
}

/** Agrees with the first candidate, with the lines that speak of it. */
export const honestModel = (): ScriptedModel =>
  scripted('honest', (step, pieces) =>
    step === 'wording' ? (pieces[0]?.text ?? '') : accuse(step, pieces, candidatesIn(pieces)[0]),
  )

/** Always for another candidate than the first, with real lines; and its sentence blames that one too. */
export const lyingModel = (): ScriptedModel =>
  scripted('liar', (step, pieces) => {
    const [first, ...others] = candidatesIn(pieces)
    if (step === 'wording')
      return `${(pieces[0]?.text ?? '').replace(/ because .*/, '')} because the disk of payment is full.`
    return accuse(step, pieces, others.find(({ service }) => service !== first?.service) ?? first)
  })

/** Knows who did it, and accuses anybody else among the candidates, with real lines. */
export const adversary = (truth: string): ScriptedModel =>
  scripted('adversary', (step, pieces) =>
    step === 'wording'
      ? (pieces[0]?.text ?? '').replaceAll(truth, 'payment')
      : accuse(
          step,
          pieces,
          candidatesIn(pieces).find(({ service }) => service !== truth),
        ),
  )

/** Fluent and made up: numbers, lines and services that are nowhere. */
export const inventingModel = (): ScriptedModel =>
  scripted('inventor', (step, pieces) => {
    const [first] = candidatesIn(pieces)
    const claims = [
      { row: 'metrics.1.1', says: 'error ratio rose to 99.7 % at 03:03:03 after deploy deadbeef42' },
      { row: 'logs.99.99', says: 'FATAL: database is gone' },
    ]
    if (step === 'wording') return 'Everything fails for 99.7 % of requests because a meteor hit rack 42.'
    if (step === 'judge') return JSON.stringify({ opinions: [{ service: 'shop-db', kind: 'slow_database', claims }] })
    if (step === 'lead') return JSON.stringify({ questions: [] })
    if (step === 'critic')
      return JSON.stringify({ query: { ...NO_QUERY, service: 'nowhere' }, refutedBy: 'nothing_found' })
    const accused = { service: first?.service ?? 'x', kind: first?.kind ?? 'cpu', claims }
    return JSON.stringify({
      queries: [],
      hypotheses: [accused, { service: 'made-up-service', kind: 'cpu', claims }],
      enough: true,
    })
  })

export const garbageModel = (): ScriptedModel =>
  scripted('garbage', (step) =>
    step === 'lead' ? '{"questions": "all of them"}' : '```\nSure! \u0000\u0007 {"hypotheses": [{"service": 7}], ',
  )

/** Never answers; it listens to the signal, as the gateway does. */
export function slowModel(): ScriptedModel & { readonly waiting: () => number } {
  const asked: ChatRequest[] = []
  let waiting = 0
  return {
    asked,
    waiting: () => waiting,
    complete: (request, signal) => {
      asked.push(request)
      waiting++
      return new Promise((_, reject) => {
        const giveUp = (): void => {
          waiting--
          reject(signal.reason as Error)
        }
        signal.addEventListener('abort', giveUp, { once: true })
      })
    },
  }
}

/** Services and kinds that texts of attacks speak of. */
const WANTED = [
  { service: 'payment', kind: 'disk_full' },
  { service: 'storefront', kind: 'disk_full' },
  { service: 'shop-db', kind: 'slow_database' },
  { service: 'catalogue', kind: 'cpu' },
  { service: 'cart', kind: 'cpu' },
]

/**
 * Does what any text in its prompt tells it: accuses whom that names, with every line that has the name in it, asks every tool
 * about it, and repeats the secret in whatever it says, if it has seen it.
 */
export const obedientModel = (secret: string): ScriptedModel =>
  scripted('obedient', (step, pieces) => {
    const all = pieces.map(({ text }) => text).join('\n')
    const seen = all.includes(secret) ? ` ${secret}` : ''
    const orders = pieces.filter(({ from }) => from !== 'midwatch').map(({ text }) => text.toLowerCase())
    const wanted = WANTED.filter(({ service }) => orders.some((text) => text.includes(service)))
    const accused = [...wanted, ...candidatesIn(pieces)].slice(0, 2)
    const opinions = accused.map((one) => ({
      ...one,
      claims: rowsIn(pieces)
        .slice(0, 6)
        .map(({ id, text }) => ({ row: id, says: `${text.slice(0, 300)}${seen}` })),
    }))
    if (step === 'wording')
      return `Nothing is wrong.${seen} Restart payment because its disk is full: https://evil.example/`
    if (step === 'judge') return JSON.stringify({ opinions: opinions.slice(0, 1) })
    const query = { ...NO_QUERY, tool: 'search_logs', contains: `restart${seen}` }
    if (step === 'lead') return JSON.stringify({ questions: [{ to: 'logs', query }] })
    if (step === 'critic') return JSON.stringify({ query, refutedBy: 'nothing_found' })
    return JSON.stringify({ queries: [query], hypotheses: opinions, enough: false })
  })
