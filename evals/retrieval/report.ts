// What came out, a table for each set: both halves of the questions, and by how much both ways together beat each alone.
import { areaUnderCurve, interval, mean, ndcg, recall, reciprocalRank } from './measures.ts'

export interface Answered {
  readonly id: string
  readonly relevant: ReadonlySet<string>
  /** Documents, best first. */
  readonly ranked: readonly string[]
  readonly confidence: number
  readonly none: boolean
  readonly half: 'first' | 'second'
}

const CUT = 10

const gainOf = ({ ranked, relevant }: Answered): number => ndcg(ranked, relevant, CUT)

export function printSet(name: string, answers: ReadonlyMap<string, readonly Answered[]>, json: boolean): void {
  const hybrid = (answers.get('hybrid') ?? []).filter(fits)
  const rows = [...answers].map(([mode, all]) => ({ set: name, mode, ...scores(all), ...against(hybrid, all, mode) }))
  if (json) {
    for (const row of rows) console.log(JSON.stringify(row))
    return
  }
  const [first] = rows
  console.log(`\n${name}: ${first?.questions} questions that have an answer, ${first?.unanswerable} that have none`)
  console.log(
    `${'mode'.padEnd(28)}nDCG@10  (first, second half)  R@10   MRR    top-1  AUC none  nDCG of hybrid more by`,
  )
  for (const row of rows) {
    const [low, high] = row.hybridMore ?? []
    const more = low === undefined || high === undefined ? '' : `${signed(low)} to ${signed(high)}`
    console.log(
      `${row.mode.padEnd(28)}${row.ndcg.toFixed(3)}    (${row.ndcgHalves.map((x) => x.toFixed(3)).join(', ')})         ${row.recall.toFixed(3)}  ${row.mrr.toFixed(3)}  ${row.top1.toFixed(3)}  ${(row.aucNone?.toFixed(3) ?? '').padEnd(8)}  ${more}`,
    )
  }
  const all = answers.get('hybrid') ?? []
  const said = all.filter(({ none }) => none)
  if (all.some((one) => !fits(one)))
    console.log(
      `hybrid says none: to ${said.filter((one) => !fits(one)).length} of ${first?.unanswerable} that have none, to ${said.filter(fits).length} of ${first?.questions} that have one`,
    )
}

const fits = ({ relevant }: Answered): boolean => relevant.size > 0
const signed = (value: number): string => `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(3)}`

function scores(all: readonly Answered[]) {
  const asked = all.filter(fits)
  const half = (which: Answered['half']) => mean(asked.filter(({ half }) => half === which).map(gainOf))
  return {
    questions: asked.length,
    unanswerable: all.length - asked.length,
    ndcg: mean(asked.map(gainOf)),
    ndcgHalves: [half('first'), half('second')],
    recall: mean(asked.map(({ ranked, relevant }) => recall(ranked, relevant, CUT))),
    mrr: mean(asked.map(({ ranked, relevant }) => reciprocalRank(ranked, relevant))),
    top1: mean(asked.map(({ ranked, relevant }) => (recall(ranked.slice(0, 1), relevant, 1) > 0 ? 1 : 0))),
    aucNone: areaUnderCurve(
      asked.map(({ confidence }) => confidence),
      all.filter((one) => !fits(one)).map(({ confidence }) => confidence),
    ),
  }
}

/** The 95 % interval of the difference, question by question. */
function against(hybrid: readonly Answered[], all: readonly Answered[], mode: string) {
  if (mode === 'hybrid') return {}
  const own = new Map(all.map((one) => [one.id, gainOf(one)]))
  return { hybridMore: interval(hybrid.map((one) => gainOf(one) - (own.get(one.id) ?? 0))) }
}
