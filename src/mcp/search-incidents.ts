// `search_incidents`: the incidents of the caller's tenant, newest first, by state, service, words and age.
import { z } from 'zod'
import type { Db } from '../db/connect.ts'
import { listIncidents } from '../incidents/read.ts'
import type { IncidentTables } from '../incidents/tables.ts'
import type { IncidentSummary } from '../incidents/view.ts'
import type { Quoting } from './quoting.ts'
import { offer, type OfferedTool } from './tool.ts'

const MOST_FOUND = 25
/** Read at once, and of how many of the newest. */
const PAGE = 50
const MOST_SEARCHED = 500
const DAY_MS = 86_400_000

const input = z.strictObject({
  query: z
    .string()
    .max(300)
    .optional()
    .describe('words that all have to stand in its title, sentence, service or cause'),
  state: z.enum(['open', 'closed', 'all']).default('all'),
  service: z.string().max(200).optional().describe('the service that hurts or that was named as the cause'),
  sinceDays: z.number().positive().max(3650).optional().describe('opened at most this many days ago'),
  limit: z.number().int().min(1).max(MOST_FOUND).default(10),
})

export const searchIncidents = (db: Db<IncidentTables>, now: () => number): OfferedTool =>
  offer({
    name: 'search_incidents',
    title: 'Search incidents',
    description:
      'Finds incidents of the on-call agent, newest first: number, state, severity, the one sentence that says what is wrong and why, and the named cause with its confidence.',
    scopes: ['incidents:read'],
    input,
    readOnly: true,
    call: async ({ input: { query = '', state, service, sinceDays, limit }, caller: { tenant }, quoting, signal }) => {
      const words = query.toLowerCase().split(/\s+/).filter(Boolean)
      const oldest = sinceDays === undefined ? 0 : now() - sinceDays * DAY_MS
      const found: IncidentSummary[] = []
      let searched = 0
      let before: number | undefined
      while (found.length <= limit && searched < MOST_SEARCHED) {
        signal.throwIfAborted()
        const page = await listIncidents(db, { tenant, state, limit: PAGE, before })
        searched += page.length
        before = page.at(-1)?.number
        found.push(...page.filter((one) => one.openedAt >= oldest && fits(one, words, service)))
        if (page.length < PAGE || (page.at(-1)?.openedAt ?? 0) < oldest) break
      }
      return {
        incidents: found.slice(0, limit).map((one) => tellSummary(one, quoting)),
        more: found.length > limit,
        searched,
      }
    },
  })

function fits(one: IncidentSummary, words: readonly string[], service: string | undefined): boolean {
  if (service !== undefined && one.service !== service && one.cause?.service !== service) return false
  const { title, sentence, cause } = one
  const text = [title, sentence, one.service ?? '', cause?.service ?? '', cause?.kind.replaceAll('_', ' ') ?? '']
  const all = text.join(' ').toLowerCase()
  return words.every((word) => all.includes(word))
}

export const tellSummary = (one: IncidentSummary, quoting: Quoting) => ({
  number: one.number,
  state: one.state,
  outcome: one.outcome,
  severity: quoting.name(one.severity),
  title: quoting.text(one.title, 200),
  sentence: quoting.text(one.sentence, 600),
  service: one.service === null ? null : quoting.name(one.service),
  cause:
    one.cause === null
      ? null
      : { service: quoting.name(one.cause.service), kind: one.cause.kind, confidence: one.cause.confidence },
  alerts: one.alerts,
  firing: one.firing,
  openedAt: isoTime(one.openedAt),
  closedAt: one.closedAt === null ? null : isoTime(one.closedAt),
})

export const isoTime = (ms: number): string => new Date(ms).toISOString()
