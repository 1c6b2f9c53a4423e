// Whether an alert is only kept for now: by a silence, a maintenance window or an inhibition. It is stored, shown and
// counted all the same, and comes back by itself, to be folded like any other, when what held it back is over and it still fires.
import type { Labels } from '../../core/telemetry.ts'
import { matchesAll } from '../../core/label-matchers.ts'
import { utcMinute } from '../../core/wall-clock.ts'
import type { Db } from '../../db/connect.ts'
import { breath } from '../breath.ts'
import { mention } from '../opening-words.ts'
import type { AlertRow, IncidentTables } from '../tables.ts'
import { findInhibition, findSource, type InhibitionRule, type LabelledAlert, noteSources } from './inhibition.ts'
import { isOpen, type MaintenanceWindow } from './maintenance.ts'
import { type ActiveSilence, activeSilences } from './silences.ts'
import { mutedAndFiring } from './tables.ts'

export interface MuteRules {
  readonly maintenance: readonly MaintenanceWindow[]
  readonly inhibit: readonly InhibitionRule[]
}

export interface Muting {
  readonly rule: 'silence' | 'maintenance' | 'inhibition'
  readonly reason: string
  /** By which it is asked again whether it still holds. */
  readonly key: string
}

export type FindMuting = (alert: LabelledAlert) => Promise<Muting | undefined>

/** For a batch of alerts in one transaction: they are noted as sources first, so that their order does not matter. */
export async function openMuting(
  trx: Db<IncidentTables>,
  rules: MuteRules,
  rows: readonly Pick<AlertRow, 'id' | 'tenant' | 'labels' | 'status'>[],
  nowMs: number,
): Promise<FindMuting> {
  if (rules.inhibit.length > 0) {
    const firing = rows.filter(({ status }) => status === 'firing')
    await noteSources(trx, rules.inhibit, firing.flatMap(readable))
  }
  const silences = new Map<string, readonly ActiveSilence[]>()
  return async (alert) => {
    const known = silences.get(alert.tenant) ?? (await activeSilences(trx, alert.tenant, nowMs))
    silences.set(alert.tenant, known)
    const silence = known.find(({ matchers }) => matchesAll(matchers, alert.labels))
    if (silence) return { rule: 'silence', reason: tellSilence(silence), key: `silence:${silence.id}` }
    const window = rules.maintenance.find((one) => matchesAll(one.matchers, alert.labels) && isOpen(one, nowMs))
    if (window) return { rule: 'maintenance', reason: tellWindow(window), key: `maintenance:${window.name}` }
    const inhibited = await findInhibition(trx, rules.inhibit, alert)
    if (!inhibited) return undefined
    const { by, equal, rule, equalKey, pureOnly } = inhibited
    const same = equal.length === 0 ? '' : `, with the same ${equal.join(' and ')}`
    return {
      rule: 'inhibition',
      reason: `${mention(by.name, by.service)} fires${same}`,
      key: `inhibition:${rule}:${equalKey}:${pureOnly ? 'pure' : 'any'}`,
    }
  }
}

/** One row that cannot be read must not hold up the others; it fails when its own turn comes. */
function readable(row: Pick<AlertRow, 'id' | 'tenant' | 'labels'>): LabelledAlert[] {
  try {
    return [{ ...row, labels: JSON.parse(row.labels) as Labels }]
  } catch {
    return []
  }
}

/** How many firing alerts of a tenant are held back now. */
export async function countMuted(db: Db<IncidentTables>, tenant: string): Promise<number> {
  const { n } = await db
    .selectFrom('alerts')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where(mutedAndFiring)
    .where('tenant', '=', tenant)
    .executeTakeFirstOrThrow()
  return n
}

const AT_ONCE = 1000

/** Lets the firing alerts whose muting is over be folded anew. Returns how many. */
export async function endMuting(db: Db<IncidentTables>, rules: MuteRules, nowMs: number): Promise<number> {
  const held = await db.selectFrom('alerts').select(['tenant', 'muted_by']).distinct().where(mutedAndFiring).execute()
  const pause = breath()
  let ended = 0
  for (const { tenant, muted_by: key } of held) {
    await pause()
    if (key !== null && (await holds(db, rules, tenant, key, nowMs))) continue
    for (let more = true; more;) {
      const some = db
        .selectFrom('alerts')
        .select('id')
        .where(mutedAndFiring)
        .where('tenant', '=', tenant)
        .where('muted_by', 'is', key)
        .limit(AT_ONCE)
      const { numUpdatedRows } = await db
        .updateTable('alerts')
        .set({ decision: null })
        .where('id', 'in', some)
        .executeTakeFirstOrThrow()
      ended += Number(numUpdatedRows)
      more = numUpdatedRows === BigInt(AT_ONCE)
    }
  }
  return ended
}

async function holds(
  db: Db<IncidentTables>,
  rules: MuteRules,
  tenant: string,
  key: string,
  nowMs: number,
): Promise<boolean> {
  const [kind, name = '', equalKey = '', which] = key.split(':')
  switch (kind) {
    case 'silence': {
      const row = await db.selectFrom('silences').select('ends_at').where('id', '=', name).executeTakeFirst()
      return row !== undefined && row.ends_at > nowMs
    }
    case 'maintenance':
      return rules.maintenance.some((window) => window.name === name && isOpen(window, nowMs))
    case 'inhibition':
      return (
        rules.inhibit.some(({ id }) => id === name) &&
        (await findSource(db, tenant, { rule: name, equalKey, pureOnly: which === 'pure' })) !== undefined
      )
    default:
      return false
  }
}

const tellSilence = ({ endsAtMs, author, comment }: ActiveSilence): string =>
  `until ${utcMinute(endsAtMs)}, by ${author}: ${comment}`

const tellWindow = ({ name, to, timeZone }: MaintenanceWindow): string => `${name}, until ${to} ${timeZone}`
