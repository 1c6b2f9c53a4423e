// Inhibition as Alertmanager has it: while an alert that matches the source of a rule fires, alerts that match its target
// and agree with it in the `equal` labels are only kept. Which alerts are sources is written down when they come, so that
// a storm costs one look-up an alert; nothing an alert says makes a rule, they are in the config alone.
// https://prometheus.io/docs/alerting/latest/configuration/#inhibit_rule
import type { FoldingSettings } from '../../config/folding-schema.ts'
import { canonicalJson, sha256Hex } from '../../core/hash.ts'
import { labelOf, type Matcher, matchesAll, parseMatcher } from '../../core/label-matchers.ts'
import type { Labels } from '../../core/telemetry.ts'
import type { Db } from '../../db/connect.ts'
import { breath } from '../breath.ts'
import { type IncidentTables, stillFiring } from '../tables.ts'
import type { InhibitionSourceRow } from './tables.ts'

export interface InhibitionRule {
  /** Hash of what it says: sources that were found by another rule do not count. */
  readonly id: string
  readonly source: readonly Matcher[]
  readonly target: readonly Matcher[]
  readonly equal: readonly string[]
}

export const readInhibition = (rules: FoldingSettings['inhibit']): readonly InhibitionRule[] =>
  rules.map((rule) => ({
    id: sha256Hex(canonicalJson(rule)).slice(0, 16),
    source: rule.source.map(parseMatcher),
    target: rule.target.map(parseMatcher),
    equal: rule.equal,
  }))

/** An alert with its labels read. */
export interface LabelledAlert {
  readonly id: string
  readonly tenant: string
  readonly labels: Labels
}

/** Writes down for which rules these firing alerts are sources, inside the caller's transaction. */
export async function noteSources(
  trx: Db<IncidentTables>,
  rules: readonly InhibitionRule[],
  alerts: readonly LabelledAlert[],
): Promise<void> {
  const rows = alerts.flatMap(({ id, tenant, labels }): InhibitionSourceRow[] =>
    rules
      .filter(({ source }) => matchesAll(source, labels))
      .map((rule) => ({
        tenant,
        rule: rule.id,
        equal_key: equalKey(rule, labels),
        alert_id: id,
        is_target: matchesAll(rule.target, labels) ? 1 : 0,
      })),
  )
  for (let at = 0; at < rows.length; at += 500)
    await trx
      .insertInto('inhibition_sources')
      .values(rows.slice(at, at + 500))
      .onConflict((conflict) => conflict.columns(['tenant', 'rule', 'equal_key', 'alert_id']).doNothing())
      .execute()
}

/** What may hold an alert back, whoever the source is: enough to ask again later whether it still does. */
export interface Inhibition {
  readonly rule: string
  readonly equalKey: string
  /** Alerts that are source and target alike do not hold back one another. */
  readonly pureOnly: boolean
}

export interface Inhibited extends Inhibition {
  readonly by: { readonly name: string; readonly service: string | null }
  readonly equal: readonly string[]
}

/** The first rule by which a firing alert holds this one back. An alert never holds back itself. */
export async function findInhibition(
  trx: Db<IncidentTables>,
  rules: readonly InhibitionRule[],
  alert: LabelledAlert,
): Promise<Inhibited | undefined> {
  for (const rule of rules) {
    if (!matchesAll(rule.target, alert.labels)) continue
    const inhibition = {
      rule: rule.id,
      equalKey: equalKey(rule, alert.labels),
      pureOnly: matchesAll(rule.source, alert.labels),
    }
    const by = await findSource(trx, alert.tenant, inhibition, alert.id)
    if (by) return { ...inhibition, by, equal: rule.equal }
  }
  return undefined
}

/** A firing alert that is a source of it. */
export async function findSource(
  trx: Db<IncidentTables>,
  tenant: string,
  { rule, equalKey: key, pureOnly }: Inhibition,
  except = '',
) {
  let query = trx
    .selectFrom('inhibition_sources as s')
    .innerJoin('alerts as a', 'a.id', 's.alert_id')
    .select(['a.name', 'a.service'])
    .where('s.tenant', '=', tenant)
    .where('s.rule', '=', rule)
    .where('s.equal_key', '=', key)
    .where('s.alert_id', '!=', except)
    .where('a.status', '=', 'firing')
  if (pureOnly) query = query.where('s.is_target', '=', 0)
  return await query.limit(1).executeTakeFirst()
}

const PAGE = 500

/** At a start: forgets what rules that are gone had found, and finds for the present ones among what fires. */
export async function refreshSources(db: Db<IncidentTables>, rules: readonly InhibitionRule[]): Promise<void> {
  const ids = rules.map(({ id }) => id)
  const old = db.deleteFrom('inhibition_sources')
  await (ids.length === 0 ? old : old.where('rule', 'not in', ids)).execute()
  if (rules.length === 0) return
  const pause = breath()
  for (let after = ''; ;) {
    const page = await db
      .selectFrom('alerts')
      .select(['id', 'tenant', 'labels'])
      .where(stillFiring)
      .where('id', '>', after)
      .orderBy('id')
      .limit(PAGE)
      .execute()
    await noteSources(
      db,
      rules,
      page.map((row) => ({ ...row, labels: JSON.parse(row.labels) as Labels })),
    )
    after = page.at(-1)?.id ?? after
    if (page.length < PAGE) return
    await pause()
  }
}

/** Forgets sources that ended. */
export async function forgetSources(db: Db<IncidentTables>): Promise<void> {
  // From the sources to their alerts: there are few of the former and can be millions of the latter.
  await db
    .deleteFrom('inhibition_sources')
    .where((is) =>
      is.exists(
        is
          .selectFrom('alerts')
          .select('alerts.id')
          .whereRef('alerts.id', '=', 'inhibition_sources.alert_id')
          .where('alerts.status', '=', 'resolved'),
      ),
    )
    .execute()
}

/** Absent is empty, and two that both lack a label agree in it. */
const equalKey = ({ equal }: InhibitionRule, labels: Labels): string =>
  sha256Hex(JSON.stringify(equal.map((label) => labelOf(labels, label)))).slice(0, 16)
