// `midwatch replay`: what other rules of folding would have made of alerts that were recorded. Nothing is changed.
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import type { Config } from '../config/schema.ts'
import { AppError } from '../core/errors.ts'
import type { Edge } from '../core/telemetry.ts'
import type { Db } from '../db/connect.ts'
import { newRow } from '../incidents/alert-rows.ts'
import { readFoldingConfig } from '../incidents/folding/config.ts'
import { compareReplays, type Recording, replay, type Replayed, ruleOf } from '../incidents/folding/replay.ts'
import { alertmanager } from '../incidents/senders/alertmanager/alertmanager.ts'
import type { AlertRow, IncidentTables } from '../incidents/tables.ts'
import { durationIn } from './duration.ts'
import { inStoredDatabase } from './in-database.ts'
import { readSettings } from './settings.ts'

interface Options {
  readonly last?: number
  readonly config: string
  readonly present?: string
  readonly tenant: string
  readonly json?: boolean
}

export function replayCommand(): Command {
  return new Command('replay')
    .description('fold recorded alerts by the present rules and by changed ones, and show what would differ')
    .argument(
      '[file]',
      "JSON lines: webhooks of Alertmanager's, or its alerts, each with receivedAt where that differs from startsAt",
    )
    .option(
      '--last <duration>',
      'instead: the alerts of this database, 30m, 24h or 7d back',
      durationIn(['m', 'h', 'd']),
    )
    .requiredOption('--config <file>', 'the config file with the changed rules')
    .option('--present <file>', 'the config file with the present ones (default: midwatch.yaml)')
    .option('--tenant <name>', 'whose alerts', 'default')
    .option('--json', 'print JSON')
    .action(async (file: string | undefined, options: Options) => {
      if ((file === undefined) === (options.last === undefined))
        throw new AppError('malformed', 'Name a file of alerts, or how far back with --last.')
      const present = readSettings(options.present).config
      const changed = readSettings(options.config).config
      const recording = file === undefined ? await fromDatabase(present, options) : fromFile(file)
      if (recording.alerts.length === 0) throw new AppError('not_found', 'There are no alerts to replay.')
      const before = await replay(recording, readFoldingConfig(present.agent.folding), topologyOf(present))
      const after = await replay(recording, readFoldingConfig(changed.agent.folding), topologyOf(changed))
      print(recording, before, after, options.json === true)
    })
}

/** What the config tells of who calls whom: what is learned from metrics while it runs is not kept. */
const topologyOf = ({ agent }: Config): readonly Edge[] =>
  Object.entries(agent.services).flatMap(([caller, { dependsOn }]) => dependsOn.map((callee) => ({ caller, callee })))

const MOST = 100_000

const fromDatabase = (config: Config, { last = 0, tenant }: Options): Promise<Recording> =>
  inStoredDatabase(config.data, async (connection) => {
    const db: Db<IncidentTables> = connection.as<IncidentTables>()
    const alerts = await db
      .selectFrom('alerts')
      .selectAll()
      .where('tenant', '=', tenant)
      .where('first_at', '>=', Date.now() - last * 1000)
      .where((is) => is.or([is('decision', 'is', null), is('decision', '!=', 'not_understood')]))
      .orderBy('first_at')
      .limit(MOST)
      .execute()
    return { alerts, silences: await db.selectFrom('silences').selectAll().where('tenant', '=', tenant).execute() }
  })

function fromFile(file: string): Recording {
  const alerts = new Map<string, AlertRow>()
  for (const [i, line] of readFileSync(file, 'utf8').split('\n').entries()) {
    if (line.trim() === '') continue
    for (const row of rowsOf(line, i + 1)) {
      const life = `${row.identity} ${row.starts_at}`
      const known = alerts.get(life)
      if (known) Object.assign(known, { status: row.status, ends_at: row.ends_at, end_seen_at: row.end_seen_at })
      else alerts.set(life, row)
    }
  }
  return { alerts: [...alerts.values()], silences: [] }
}

function rowsOf(line: string, number: number): readonly AlertRow[] {
  try {
    const given = JSON.parse(line) as { receivedAt?: string; startsAt?: string; alerts?: unknown[] }
    const { receivedAt, ...alert } = given
    const body = Array.isArray(given.alerts)
      ? alert
      : { version: '4', status: 'firing', groupKey: '{}', alerts: [alert] }
    const first = (body.alerts as { startsAt?: string }[])[0]
    const nowMs = Date.parse(receivedAt ?? first?.startsAt ?? '')
    if (Number.isNaN(nowMs)) throw new Error('has neither receivedAt nor startsAt')
    const origin = { tenant: 'default', source: 'alertmanager', deliveryId: '', duplicate: false }
    return alertmanager.read(body, { headers: {}, nowMs }).alerts.map((one) => newRow(origin, one, nowMs))
  } catch (error) {
    throw new AppError('malformed', `Line ${number}: ${(error as Error).message}`, { cause: error })
  }
}

const SHOWN = 50

function print({ alerts }: Recording, before: readonly Replayed[], after: readonly Replayed[], json: boolean): void {
  const differences = compareReplays(before, after)
  const counts = {
    alerts: before.length,
    before: countsOf(before),
    after: countsOf(after),
    different: differences.length,
  }
  if (json) return console.log(JSON.stringify({ ...counts, differences }))
  console.log(`${before.length} alerts`)
  console.log(`  now:     ${spell(counts.before)}\n  changed: ${spell(counts.after)}`)
  if (differences.length === 0) return console.log('Nothing would differ.')
  console.log(`${differences.length} would be decided otherwise:`)
  const named = new Map(alerts.map((row) => [row.id, row]))
  const nameOf = (id: string | null): string => {
    const row = id === null ? undefined : named.get(id)
    return row ? `${row.name}${row.service === null ? '' : ` of ${row.service}`}` : 'none'
  }
  for (const { id, before: was, after: is } of differences.slice(0, SHOWN)) {
    console.log(`- ${nameOf(id)}`)
    for (const [word, one] of [
      ['now', was],
      ['changed', is],
    ] as const)
      console.log(`    ${word.padEnd(8)}${one.decision} by ${ruleOf(one)}, incident of ${nameOf(one.incidentOf)}`)
  }
  if (differences.length > SHOWN) console.log(`and ${differences.length - SHOWN} more; --json has all.`)
}

function countsOf(replayed: readonly Replayed[]) {
  const incidents = new Set(replayed.flatMap(({ incidentOf }) => (incidentOf === null ? [] : [incidentOf]))).size
  const of = (decision: string) => replayed.filter((one) => one.decision === decision).length
  return { incidents, ignored: of('ignored'), muted: of('muted') }
}

const spell = ({ incidents, ignored, muted }: ReturnType<typeof countsOf>): string =>
  `${incidents} incidents, ${ignored} alerts ignored, ${muted} held back`
