// Of which kind a trouble is, as its alerts tell it: what users feel (errors, latency, availability), or what will be felt
// (saturation, traffic). By the words of the alerts' names first, then of what they say. Pure.

export const SYMPTOM_KINDS = ['availability', 'errors', 'latency', 'saturation', 'traffic', 'unknown'] as const
export type SymptomKind = (typeof SYMPTOM_KINDS)[number]

/** Tried in this order: `HighErrorRateDiskFull` is about the disk. */
const WORDS: readonly (readonly [Exclude<SymptomKind, 'unknown'>, RegExp])[] = [
  [
    'saturation',
    /\b(?:saturat\w*|disk|filesystem|inode\w*|memory|oom\w*|cpu|load|pool|queue|backlog|lag|quota|throttl\w*|connections?|expir\w*|certificate|full|exhaust\w*)\b/,
  ],
  [
    'availability',
    /\b(?:down|unavailable|unreachable|absent|missing|dead|crash\w*|crashloop\w*|not ready|unhealthy|offline|outage|no data|target|probe|restart\w*)\b/,
  ],
  ['latency', /\b(?:latenc\w*|slow\w*|duration|response times?|timeouts?|timed out|p9\d|p50|apdex)\b/],
  ['errors', /\b(?:errors?|error rate|fail\w*|exceptions?|5xx|http 5\d\d|burn\w*|slo|availability)\b/],
  ['traffic', /\b(?:traffic|requests?|rps|qps|throughput|rate|surge|spike|volume)\b/],
]

export interface AlertWords {
  readonly name: string
  readonly summary: string
}

export interface Kinded {
  readonly kind: SymptomKind
  /** `CheckoutErrors says errors`. */
  readonly reason: string
}

/** The kind that most alerts speak of; of equals the one of the earlier alert. */
export function symptomKindOf(alerts: readonly AlertWords[]): Kinded {
  const votes = new Map<SymptomKind, { n: number; by: string }>()
  for (const { name, summary } of alerts) {
    const kind = kindIn(split(name)) ?? kindIn(summary.slice(0, 2000).toLowerCase())
    if (!kind) continue
    const vote = votes.get(kind)
    votes.set(kind, { n: (vote?.n ?? 0) + 1, by: vote?.by ?? name })
  }
  const [best] = [...votes].sort(([, a], [, b]) => b.n - a.n)
  if (!best) return { kind: 'unknown', reason: 'no alert says of which kind it is' }
  const [kind, { n, by }] = best
  const others = n > 1 ? ` and ${n - 1} more say` : ' says'
  return { kind, reason: `${by}${others} ${kind}` }
}

const kindIn = (text: string) => WORDS.find(([, words]) => words.test(text))?.[0]

/** `HTTPErrorRateHigh`, `http_error_rate` → `http error rate high`. */
const split = (name: string): string =>
  name
    .slice(0, 300)
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .replaceAll(/[_\-.:/]+/g, ' ')
    .toLowerCase()
