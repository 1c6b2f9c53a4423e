// What came in and what was decided on it, counted page by page along the index of arrival, so that the rest of the process
// goes on meanwhile. Bounded: a report of a storm is one of its first half million alerts, and says so.
import type { Db } from '../../db/connect.ts'
import { breath } from '../breath.ts'
import type { AlertRow, IncidentTables } from '../tables.ts'
import type { Stretch } from './weekly.ts'
import type { WeeklyReport } from './weekly-view.ts'

const PAGE = 2000
const MOST_ALERTS = 500_000
/** Names that are counted apart; what comes later under other names is counted in the sums alone. */
const MOST_NAMES = 10_000
const NAMES_TOLD = 10

type ByName = WeeklyReport['alerts']['byName'][number]
type Decided = NonNullable<AlertRow['decision']> | 'waiting'

export async function countAlerts(db: Db<IncidentTables>, stretch: Stretch): Promise<WeeklyReport['alerts']> {
  const sums: Record<Decided, number> = { opened: 0, joined: 0, ignored: 0, muted: 0, not_understood: 0, waiting: 0 }
  const rules = new Map<string, number>()
  const names = new Map<string, ByName>()
  let deliveries = 0
  let read = 0
  const pause = breath()
  for await (const page of pagesOf(db, stretch)) {
    for (const { name, decision, reason, times } of page) {
      read++
      deliveries += times
      sums[decision ?? 'waiting']++
      const rule = `${decision ?? 'waiting'} ${reason === null ? '' : (/^[\w-]+(?=:)/.exec(reason)?.[0] ?? '')}`
      rules.set(rule, (rules.get(rule) ?? 0) + 1)
      const known = names.get(name) ?? { name, alerts: 0, deliveries: 0, opened: 0, joined: 0, ignored: 0, muted: 0 }
      if (known.alerts === 0 && names.size >= MOST_NAMES) continue
      known.alerts++
      known.deliveries += times
      if (decision !== null && decision !== 'not_understood') known[decision]++
      names.set(name, known)
    }
    await pause()
  }
  const nobodyHadToAct = sums.ignored + sums.muted
  const decided = sums.opened + sums.joined + nobodyHadToAct
  return {
    in: read,
    deliveries,
    opened: sums.opened,
    joined: sums.joined,
    ignored: sums.ignored,
    muted: sums.muted,
    notUnderstood: sums.not_understood,
    waiting: sums.waiting,
    foldedAway: decided === 0 ? null : (sums.joined + nobodyHadToAct) / decided,
    noise: decided === 0 ? null : nobodyHadToAct / decided,
    byRule: [...rules]
      .map(([key, alerts]) => {
        const [decision = '', rule = ''] = key.split(' ')
        return { decision, rule, alerts }
      })
      .sort((a, b) => b.alerts - a.alerts),
    byName: [...names.values()].sort((a, b) => b.alerts - a.alerts || (a.name < b.name ? -1 : 1)).slice(0, NAMES_TOLD),
    cutShort: read >= MOST_ALERTS,
  }
}

async function* pagesOf(db: Db<IncidentTables>, { tenant, fromMs, toMs }: Stretch) {
  let [afterMs, afterId] = [fromMs, '']
  for (let read = 0; read < MOST_ALERTS;) {
    const rows = await db
      .selectFrom('alerts')
      .select(['id', 'first_at', 'name', 'decision', 'reason', 'times'])
      .where('tenant', '=', tenant)
      .where('first_at', '>=', afterMs)
      .where('first_at', '<', toMs)
      .where((eb) => eb.or([eb('first_at', '>', afterMs), eb('id', '>', afterId)]))
      .orderBy('first_at')
      .orderBy('id')
      .limit(PAGE)
      .execute()
    yield rows
    read += rows.length
    const last = rows.at(-1)
    if (!last || rows.length < PAGE) return
    ;[afterMs, afterId] = [last.first_at, last.id]
  }
}
