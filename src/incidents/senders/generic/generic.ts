// JSON of a sender that nobody has described: read by the names that such fields commonly have, wherever they stand on
// the first two levels, whatever their capitals and underscores. Where nothing names the alert it is kept and shown
// rather than guessed at; a mapping in the config says it better (`agent.intake.generic`).
import { parseAnyTime } from '../../alert-times.ts'
import { completeAlert, type IncomingAlert, notUnderstood } from '../../incoming-alert.ts'
import { isObject, opened, tagsOf, textOf } from '../loose.ts'
import type { JsonObject, ReadContext, Sender } from '../sender.ts'
import { readPlainText } from '../text-rules.ts'
import { readMarks, statusOfWord } from '../words.ts'
import { findSeverity } from '../../severity.ts'

export const generic: Sender = {
  name: 'generic',
  title: 'a generic sender',
  recognises: () => false,
  read: (body, context) => {
    const fields = fieldsOf(body)
    const batch = first(fields, NAMES.name) === undefined ? batchIn(body) : undefined
    return {
      alerts: batch ? batch.map((one) => readOne(one, fieldsOf(one), context)) : [readOne(body, fields, context)],
    }
  },
  readText: (text, { nowMs }) => {
    const said = readPlainText({ body: text })
    if (!said?.telling)
      return {
        alerts: [notUnderstood('a generic sender', 'the text does not say that anything is wrong', text, nowMs)],
      }
    return { alerts: [completeAlert(said, nowMs)] }
  },
}

const BATCHES = ['alerts', 'events', 'incidents', 'notifications', 'items', 'problems', 'records', 'messages']
const MAX_ALERTS = 10_000

/** The alerts of a body that holds a list of them under a name that says so. */
function batchIn(body: JsonObject): readonly JsonObject[] | undefined {
  for (const name of BATCHES) {
    const items = opened(body[name])
    if (Array.isArray(items) && items.length > 0 && items.length <= MAX_ALERTS && items.every(isObject)) return items
  }
  return undefined
}

/** First present wins. */
const NAMES = {
  name: words(
    'alertname alert_name alert_title event_title incident_title monitor_name check_name rule_name condition_name policy_name ' +
      'problem_title trigger_name title name subject summary headline message short_message text description check rule alert event problem reason',
  ),
  severity: words('severity alert_severity event_severity level priority criticality urgency importance impact'),
  status: words(
    'status alert_status event_status current_state currentstate new_state newstate alert_state state event_action action transition event_type condition_state',
  ),
  service: words(
    'service service_name app app_name application application_name component system project job workload',
  ),
  host: words(
    'host host_name hostname node node_name instance server server_name machine device entity target resource_name source_host',
  ),
  url: words(
    'url link html_url web_url alert_url incident_url event_url issue_url problem_url dashboard_url permalink href',
  ),
  id: words(
    'fingerprint dedup_key deduplication_key dedupe_key alias incident_key alert_id alertid incident_id incidentid problem_id event_key trigger_id check_id monitor_id',
  ),
  summary: words(
    'summary description message details detail body text long_description annotation reason output short_message msg',
  ),
  started: words(
    'starts_at started_at start_time starttime start opened_at open_time first_seen triggered_at begin created_at',
  ),
  ended: words('ends_at ended_at end_time endtime end closed_at close_time resolved_at recovered_at'),
  told: words(
    'timestamp time event_time occurred_at occurredat date datetime updated_at last_updated state_changed_at ts sent_at created_at',
  ),
  tags: words('labels tags'),
  environment: words('environment env'),
  region: words('region datacenter zone availability_zone'),
} as const

function words(list: string): readonly string[] {
  return [...new Set(list.split(' ').map(bare))]
}

function bare(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
}

type Fields = ReadonlyMap<string, unknown>

/** Every field by its bare name; those of inner objects give way to those outside. */
function fieldsOf(body: JsonObject): Fields {
  const fields = new Map<string, unknown>()
  let level: readonly JsonObject[] = [body]
  for (let depth = 0; depth < 3 && level.length > 0; depth++) {
    for (const object of level)
      for (const [name, value] of Object.entries(object)) {
        const key = bare(name)
        if (!fields.has(key)) fields.set(key, value)
        // `host: {name}` says what the host is called.
        const inner = opened(value)
        if (isObject(inner) && typeof inner['name'] === 'string' && !fields.has(`${key}name`))
          fields.set(`${key}name`, inner['name'])
      }
    level = level.flatMap((object) => Object.values(object).map(opened).filter(isObject)).slice(0, 50)
  }
  return fields
}

const first = (fields: Fields, names: readonly string[]): string | undefined => {
  for (const name of names) {
    const text = textOf(fields.get(name))
    if (text !== undefined) return text
  }
  return undefined
}

function readOne(body: JsonObject, fields: Fields, { nowMs }: ReadContext): IncomingAlert {
  const get = (names: readonly string[]): string | undefined => first(fields, names)
  const title = get(NAMES.name)
  if (title === undefined) {
    const reason = 'nothing in it names an alert (title, name, summary, message …): describe it in agent.intake.generic'
    return notUnderstood('a generic sender', reason, body, nowMs)
  }
  const marks = readMarks(title)
  const tags = NAMES.tags.reduce(
    (all, name) => ({ ...all, ...tagsOf(fields.get(name)) }),
    {} as Readonly<Record<string, string>>,
  )
  const severity = get(NAMES.severity) ?? tags['severity'] ?? tags['priority']
  const state = NAMES.status.map((name) => textOf(fields.get(name))).find((word) => statusOfWord(word) !== undefined)
  const endedAtMs = parseAnyTime(get(NAMES.ended))
  const told = statusOfWord(state) ?? marks.status
  const { severity: _, ...described } = tags
  const id = get(NAMES.id)
  const service = get(NAMES.service)
  const host = get(NAMES.host)
  return completeAlert(
    {
      name: marks.rest,
      service,
      severity: findSeverity(severity) === undefined ? (marks.severity ?? severity) : severity,
      status: told ?? (endedAtMs !== undefined && endedAtMs <= nowMs ? 'resolved' : 'firing'),
      toldAtMs: moment(fields, NAMES.told),
      startsAtMs: moment(fields, NAMES.started),
      endsAtMs: endedAtMs,
      labels: { ...described, host, environment: get(NAMES.environment), region: get(NAMES.region) },
      ...(id === undefined ? {} : { identifiedBy: { id, service, host } }),
      annotations: { summary: get(NAMES.summary) ?? title, state },
      urls: NAMES.url.map((name) => textOf(fields.get(name))),
    },
    nowMs,
  )
}

const moment = (fields: Fields, names: readonly string[]): number | undefined =>
  names.map((name) => parseAnyTime(fields.get(name))).find((ms) => ms !== undefined)
