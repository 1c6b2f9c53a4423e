// `midwatch investigate`: one investigation at a terminal. Of alerts in a file or of an incident, with the metrics and logs of
// the config as they are now and, of an incident, the changes that were stored: Git and GitHub are not asked from here. Or
// again of what an earlier investigation had read. It proposes nothing, tells nobody and changes nothing; no model is asked.
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import type { Config } from '../config/schema.ts'
import { DEFAULT_TENANT } from '../core/caller.ts'
import { systemClock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { listChanges } from '../incidents/changes.ts'
import { findEvidence, recordAlert, type RecordedAlert } from '../incidents/investigation/evidence.ts'
import { alertsOf } from '../incidents/investigation/incident.ts'
import { fromEvidence, investigateOnce, type OnceInput } from '../incidents/investigation/once.ts'
import type { IncomingAlert } from '../incidents/incoming-alert.ts'
import { findIncident } from '../incidents/read.ts'
import type { Report } from '../incidents/report.ts'
import { createSenders } from '../incidents/senders/all.ts'
import { decodeBody } from '../incidents/senders/decode-body.ts'
import { readBody } from '../incidents/senders/read-delivery.ts'
import type { IncidentTables } from '../incidents/tables.ts'
import { silentLog } from '../observe/log.ts'
import { openSources } from '../sources-of-config.ts'
import { renderReport } from './render-report.ts'
import { inStoredDatabase } from './in-database.ts'
import { readSettings } from './settings.ts'

interface Options {
  readonly alert?: string
  readonly incident?: string
  readonly replay?: string
  readonly config?: string
  readonly data?: string
  readonly tenant: string
  readonly json?: boolean
}

export function investigateCommand(): Command {
  return new Command('investigate')
    .description('find the cause of alerts once, with evidence; proposes and changes nothing')
    .option('--alert <file>', 'alerts as any sender sends them')
    .option('--incident <id>', 'the alerts of an incident (its number or id), looked at as things are now')
    .option('--replay <id>', 'what was read for an incident then, through the code of today')
    .option('--config <file>', 'the config file')
    .option('--data <folder>', 'the data folder')
    .option('--tenant <name>', 'whose incident', DEFAULT_TENANT)
    .option('--json', 'print JSON')
    .action(async (options: Options) => {
      const { before, report } = await withInput(options, async ({ input, before }) => {
        const { report } = await investigateOnce({ ...input, log: silentLog() }, new AbortController().signal)
        return { before, report }
      })
      if (options.json)
        console.log(JSON.stringify(before ? { report, before, same: isSame(before, report) } : { report }))
      else console.log([renderReport(report), ...(before ? [compare(before, report)] : [])].join('\n\n'))
    })
}

interface Input {
  readonly input: Omit<OnceInput, 'log'>
  /** Of a replay: what was reported then. */
  readonly before?: Report
}

/** The input stands while it is used: changes are read from the database as they are asked for. */
async function withInput<T>(options: Options, use: (input: Input) => Promise<T>): Promise<T> {
  const { config } = readSettings(options.config)
  const { alert, incident, replay } = options
  if ([alert, incident, replay].filter((one) => one !== undefined).length !== 1)
    throw new AppError('malformed', 'Name one of --alert FILE, --incident ID or --replay ID.')
  if (alert !== undefined) return await use({ input: liveInput(config, alertsIn(alert, config), async () => []) })
  return await inStoredDatabase(options.data ?? config.data, async (connection) => {
    const db = connection.as<IncidentTables>()
    const id = incident ?? replay ?? ''
    const found = await findIncident(db, options.tenant, id)
    if (!found) throw new AppError('not_found', `There is no incident ${id}. See: midwatch incidents list --all`)
    if (replay === undefined) {
      const alerts = (await alertsOf(db, found.id)).map(recordAlert)
      return await use({
        input: liveInput(config, alerts, (range) => listChanges(db, { ...range, tenant: options.tenant })),
      })
    }
    const evidence = await findEvidence(db, found.id)
    if (!evidence)
      throw new AppError(
        'not_found',
        `Nothing is kept of what was read for incident ${found.number}: it was never diagnosed, or others came since.`,
      )
    return await use({ input: fromEvidence(evidence, config.agent, systemClock), before: evidence.report })
  })
}

function liveInput(config: Config, alerts: readonly RecordedAlert[], changes: OnceInput['changes']): Input['input'] {
  const { metrics, logs } = openSources(config, silentLog(), { sampling: false })
  const sources = { metrics, logs }
  if (sources.metrics.length + sources.logs.length === 0)
    throw new AppError(
      'malformed',
      'The config names no source to look at. Set agent.sources.prometheus or agent.sources.files.',
    )
  return { alerts, sources, changes, config: { ...config.agent, actions: [] }, clock: systemClock }
}

/** Whatever may be posted to `/v1/alerts` without a header: whose it is shows by its shape. */
function alertsIn(file: string, config: Config): RecordedAlert[] {
  const alerts = readAlertFile(file, config).filter(({ decided }) => decided === null)
  if (alerts.length === 0)
    throw new AppError('malformed', `${file} holds no alert that can be understood. Send it to /v1/alerts to see why.`)
  return alerts.map(({ name, service, severity, status, startsAtMs, labels, annotations }) => ({
    name,
    service,
    severity,
    status,
    startsAt: startsAtMs,
    labels: { ...labels },
    annotations: { ...annotations },
  }))
}

function readAlertFile(file: string, config: Config): readonly IncomingAlert[] {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (error) {
    throw new AppError('malformed', `${file} cannot be read.`, { cause: error })
  }
  try {
    const body = decodeBody(bytes, undefined, true)
    const [first = {}] = body.kind === 'json' ? body.objects : []
    const sender = createSenders(config.agent.intake).recognise(first, {})
    return readBody(sender, body, { headers: {}, nowMs: Date.now() }).alerts
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    throw new AppError('malformed', `${file} holds no alerts: ${error.message}`, { cause: error })
  }
}

const isSame = (before: Report, now: Report): boolean => {
  const [a, b] = [before.causes[0], now.causes[0]]
  return a?.service === b?.service && a?.kind === b?.kind
}

const sayCause = ({ causes: [cause] }: Report): string =>
  cause ? `${cause.service}, ${cause.kind.replaceAll('_', ' ')} (${cause.confidence.toFixed(2)})` : 'no cause'

const compare = (before: Report, now: Report): string =>
  isSame(before, now)
    ? `The same as then: ${sayCause(before)} then, ${sayCause(now)} now.`
    : `Not the same as then: ${sayCause(before)} then, ${sayCause(now)} now.`
