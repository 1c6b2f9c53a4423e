// How opinions become one ranking: weighted votes, each with its reason. The evidence that code has checked votes with its own
// weight, which is what the ranking is made of. Models vote with a bounded weight for candidates that this evidence has named
// already, and only with lines that resolved again: they decide between near equals at most. Where they did, nobody acts on
// it: a person is asked.
import type { Cause, Evidence } from '../../../diagnosis/evidence.ts'
import type { Objection } from './deliberation.ts'
import type { Hypothesis } from './note.ts'

/** Scores of causes that were named are 1.2 and more, and mostly 3 to 8. All models together move one by no more. */
const MOST_BY_MODELS = 0.15
const TRUST: Readonly<Record<Hypothesis['size'], number>> = { small: 0.5, large: 1 }
/** What a doubt costs, and how many count. */
const DOUBT: Readonly<Record<Objection['by'], number>> = { rules: 0.95, model: 0.98 }
const MOST_DOUBTS = 3

export interface Vote {
  /** `metrics`, `logs`, `changes`; for a model who asked it: `metrics (small-model)`. */
  readonly by: string
  readonly service: string
  readonly kind: Cause['kind']
  /** What it adds to the score. */
  readonly weight: number
  readonly reason: string
}

export interface VoteInput {
  /** Asked again and still there, best first. */
  readonly causes: readonly Cause[]
  /** Whose claims resolved again; `step` is who asked the model. */
  readonly opinions: readonly { readonly step: string; readonly hypothesis: Hypothesis }[]
  readonly objections: readonly Objection[]
  /** The confidence that a cause needs to be acted on. */
  readonly actAbove: number
}

export interface Voted {
  readonly causes: readonly Cause[]
  readonly votes: readonly Vote[]
  /** Models changed who comes first. */
  readonly reordered: boolean
}

const VOTERS: Readonly<Record<Evidence['ref']['kind'], string>> = {
  series: 'metrics',
  log: 'logs',
  change: 'changes',
  topology: 'topology',
}
/** Causes whose votes are told. */
const TOLD = 3

export function vote({ causes, opinions, objections, actAbove }: VoteInput): Voted {
  const votes = causes.slice(0, TOLD).flatMap(evidenceVotes)
  const lifted = causes.map((cause, was) => {
    const own = opinions.filter(({ hypothesis: { service, kind } }) => service === cause.service && kind === cause.kind)
    const shares = own.map(({ hypothesis }) => TRUST[hypothesis.size] * strengthOf(hypothesis))
    const whole = Math.min(
      1,
      shares.reduce((sum, share) => sum + share, 0),
    )
    own.forEach(({ step, hypothesis: { by, claims } }, i) => {
      const part = whole === 0 ? 0 : (shares[i] ?? 0) / shares.reduce((sum, share) => sum + share, 0)
      votes.push({
        by: `${step} (${by})`,
        service: cause.service,
        kind: cause.kind,
        weight: round(MOST_BY_MODELS * whole * part),
        reason: `leans on ${claims.length === 1 ? 'one line' : `${claims.length} lines`}: ${claims
          .slice(0, 2)
          .map(({ text }) => text.slice(0, 160))
          .join('; ')}`,
      })
    })
    return { cause, was, score: round(cause.score + MOST_BY_MODELS * whole) }
  })
  const ranked = [...lifted].sort((a, b) => b.score - a.score || a.was - b.was)
  const reordered = ranked[0] !== undefined && ranked[0].was !== 0
  const doubted = objections.filter(({ outcome }) => outcome === 'doubt').slice(0, MOST_DOUBTS)
  return {
    reordered,
    votes,
    causes: ranked.map(({ cause, score, was }, i): Cause => {
      if (i > 0) return { ...cause, score: reordered ? score : cause.score }
      // The objections are to who led before.
      if (was !== 0) return { ...cause, score, confidence: round(Math.min(cause.confidence, actAbove - 0.001)) }
      const doubtful = doubted.reduce((confidence, { by }) => confidence * DOUBT[by], cause.confidence)
      // What was sure enough to act on stays so: it is for the risk to say that less is sure.
      const least = Math.min(cause.confidence, actAbove)
      return { ...cause, confidence: round(Math.max(doubtful, least)) }
    }),
  }
}

function evidenceVotes({ service, kind, evidence, against }: Cause): Vote[] {
  const by = new Map<string, { weight: number; count: number; first: string }>()
  for (const { weight, claim, ref } of [...evidence, ...against]) {
    if (weight === 0) continue
    const voter = VOTERS[ref.kind]
    const known = by.get(voter)
    by.set(voter, {
      weight: (known?.weight ?? 0) + weight,
      count: (known?.count ?? 0) + 1,
      first: known?.first ?? claim,
    })
  }
  return [...by].map(([voter, { weight, count, first }]) => ({
    by: voter,
    service,
    kind,
    weight: round(weight),
    reason: count === 1 ? first : `${first}; and ${count - 1} more`,
  }))
}

const strengthOf = ({ claims }: Hypothesis): number =>
  Math.min(
    1,
    claims.reduce((sum, { strength }) => sum + strength, 0),
  )

const round = (value: number): number => Math.round(value * 1000) / 1000
