// Answers a question about an incident out of its report: the claims nearest to the question's words, each with the place
// where it can be checked. Nothing is made up and no model is asked; where nothing is near, that is the answer.
import { z } from 'zod'
import { evidence, type Evidence } from '../../diagnosis/evidence.ts'
import type { Report } from '../report.ts'

const claimsAnswer = z.object({
  /** The claims in one paragraph; that nothing is known, where there is none. */
  answer: z.string(),
  claims: z.array(
    evidence.pick({ id: true, claim: true, ref: true }).extend({ service: z.string(), against: z.boolean() }),
  ),
})
export type ClaimsAnswer = z.infer<typeof claimsAnswer>

const MOST = 5
/** Words that stand in every question. */
const COMMON = new Set(
  'the a an is are was were what why how when which who did do does of in on at to and or it its for with that this has have had be by from not'.split(
    ' ',
  ),
)

/** Best first; words that few claims have count more (Spärck Jones, 1972). */
export function nearestClaims(report: Report, question: string): ClaimsAnswer {
  const all = report.causes.flatMap(({ service, kind, evidence, against }) => {
    const of = (one: Evidence, isAgainst: boolean) => ({
      service,
      against: isAgainst,
      one,
      words: wordsOf(`${service} ${kind} ${one.ref.kind} ${one.claim}`),
    })
    return [...evidence.map((one) => of(one, false)), ...against.map((one) => of(one, true))]
  })
  const asked = wordsOf(question)
  const rarity = (word: string): number =>
    Math.log(1 + all.length / (1 + all.filter(({ words }) => words.has(word)).length))
  const near = all
    .map((claim) => ({
      ...claim,
      score: [...asked].reduce((sum, word) => sum + (claim.words.has(word) ? rarity(word) : 0), 0),
    }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || b.one.weight - a.one.weight)
    .slice(0, MOST)
  const said = near.map(({ one, against }) => `${against ? 'Against it: ' : ''}${one.claim.replace(/\.$/, '')}.`)
  return {
    answer: said.length === 0 ? 'Nothing in the evidence of this incident speaks of that.' : said.join(' '),
    claims: near.map(({ one: { id, claim, ref }, service, against }) => ({ id, claim, ref, service, against })),
  }
}

const wordsOf = (text: string): ReadonlySet<string> =>
  new Set(
    (text.toLowerCase().match(/[\p{L}\d]+/gu) ?? []).map(stem).filter((word) => word.length > 1 && !COMMON.has(word)),
  )

const stem = (word: string): string => (word.length > 4 ? word.replace(/(ing|ed|es|s)$/, '') : word)
