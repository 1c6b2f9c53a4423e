// A model's opinion, held to the lines that it was shown. It names candidates out of the list alone; every claim cites a line
// by its id and may say nothing that the line does not. What remains is the lines: its words are thrown away.
import { z } from 'zod'
import { FAULT_KINDS } from '../../../core/fault-kinds.ts'
import type { Cause } from '../../../diagnosis/evidence.ts'
import { strangeFact } from '../wording.ts'
import type { Row } from './claim-ref.ts'
import type { Hypothesis } from './note.ts'

export const opinion = z.strictObject({
  service: z.string().max(200),
  kind: z.enum(FAULT_KINDS),
  claims: z.array(z.strictObject({ row: z.string().max(60), says: z.string().max(500) })).max(6),
})
export type Opinion = z.infer<typeof opinion>

export interface Held {
  readonly hypotheses: readonly Hypothesis[]
  /** Claims that did not hold. */
  readonly removed: number
}

export interface HoldInput {
  readonly opinions: readonly Opinion[]
  readonly by: string
  readonly size: Hypothesis['size']
  readonly candidates: readonly Cause[]
  readonly rows: ReadonlyMap<string, Row>
  readonly services: readonly string[]
}

export function holdToRows({ opinions, by, size, candidates, rows, services }: HoldInput): Held {
  let removed = 0
  const hypotheses = opinions.flatMap(({ service, kind, claims }): Hypothesis[] => {
    const known = candidates.some((one) => one.service === service && one.kind === kind)
    const held = known
      ? claims.flatMap(({ row: id, says }) => {
          const cited = rows.get(id.trim())
          const holds = cited?.ref && speaksOf(cited, service) && strangeFact(says, cited.text, services) === undefined
          return holds ? [cited] : []
        })
      : []
    const once = [...new Map(held.map((one) => [one.id, one])).values()]
    removed += claims.length - once.length
    return once.length === 0 ? [] : [{ by, size, service, kind, claims: once }]
  })
  return { hypotheses, removed }
}

const speaksOf = ({ service, ref }: Row, wanted: string): boolean =>
  service === wanted || (ref?.kind === 'topology' && ref.path.includes(wanted))
