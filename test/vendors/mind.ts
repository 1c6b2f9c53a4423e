// What the model behind every stand-in of a vendor would do: ask for the weather of two cities at once, and say at last
// what it was told of them. Whatever a translation loses is missing from what it says.
export interface Conversation {
  /** Names of the tools that it may call. */
  readonly tools: readonly string[]
  /** The one that it must call. */
  readonly forced: string | null
  /** What its calls came to, in the order in which it made them; empty before it has called. */
  readonly results: readonly { readonly city: string; readonly text: string }[]
  /** It is held to JSON. */
  readonly json: boolean
}

export interface Call {
  readonly name: string
  readonly args: Readonly<Record<string, unknown>>
}

export type Answer =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'calls'; readonly lead: string; readonly calls: readonly Call[] }

export const CITIES = ['Oslo', 'Rome'] as const
const LEAD = 'Let me look that up. '
export const REPORT = { city: 'Oslo', degrees: 4 } as const

/** What the tool says of a city. */
export const weatherIn = (city: string): string => `${city}: ${city === 'Oslo' ? 4 : 19} °C, “fine” – ☀️`
export const SAID = `I was told: ${CITIES.map(weatherIn).join(' | ')}.`

export function think({ tools, forced, results, json }: Conversation): Answer {
  if (results.length > 0) return { kind: 'text', text: `I was told: ${results.map(({ text }) => text).join(' | ')}.` }
  const answerTool = forced !== null && forced !== 'weather' ? forced : tools.find((name) => name !== 'weather')
  if (answerTool !== undefined) return { kind: 'calls', lead: '', calls: [{ name: answerTool, args: REPORT }] }
  if (tools.includes('weather')) {
    return { kind: 'calls', lead: LEAD, calls: CITIES.map((city) => ({ name: 'weather', args: { city } })) }
  }
  return { kind: 'text', text: json ? JSON.stringify(REPORT) : 'Hello, friend.' }
}

/** Text in pieces, as a model writes it: never cut inside of a character. */
export const inPieces = (text: string): readonly string[] => text.match(/.{1,5}/gsu) ?? []

/** The vendor refuses the request: what its 400 says. */
export class Refused extends Error {}

export function must(holds: boolean, rule: string): asserts holds {
  if (!holds) throw new Refused(rule)
}

/** Rules of how calls are answered, which every vendor has: all of them, in the very next turn, each once. */
export function matchResults(
  calls: readonly { readonly id: string; readonly city: string }[],
  results: ReadonlyMap<string, string>,
): Conversation['results'] {
  must(new Set(calls.map(({ id }) => id)).size === calls.length, 'ids of calls must differ')
  for (const { id } of calls) must(results.has(id), `the call ${id} has no result`)
  must(results.size === calls.length, 'a result for a call that was not made')
  return calls.map(({ id, city }) => ({ city, text: results.get(id) ?? '' }))
}

export const VECTOR_SIZE = 8
export const vectorOf = (text: string): number[] =>
  Array.from({ length: VECTOR_SIZE }, (_, i) => ((text.length * (i + 1)) % 10) / 16)
