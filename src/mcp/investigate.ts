// `investigate`: the one tool that begins something. A new look at an incident, or a new alert which is folded like any
// other. It changes nothing outside of Midwatch, decides on no proposal and takes none back. Bounded a caller, so that a
// client in a loop floods nobody.
import { z } from 'zod'
import { mayDo } from '../core/caller.ts'
import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { completeLabelled } from '../incidents/incoming-alert.ts'
import { type IntakeDeps, storeDelivery } from '../incidents/intake.ts'
import type { LookRequest } from '../incidents/investigation/ask-look.ts'
import { findIncident } from '../incidents/read.ts'
import { whichIncident } from './get-incident.ts'
import type { Quoting } from './quoting.ts'
import { offer, type OfferedTool, type ToolCall } from './tool.ts'

const MOST_IN_WINDOW = 20
const WINDOW_MS = 600_000
/** Callers that are remembered. */
const MOST_CALLERS = 1000
/** An alert that was posted by hand has nobody who would resolve it. */
const ALERT_LASTS_MS = 3_600_000
const POLL_MS = 250
/** By whom an alert was brought. */
const SOURCE = 'mcp'

const input = z.strictObject({
  incident: whichIncident.optional(),
  alert: z
    .strictObject({
      name: z.string().min(1).max(200),
      service: z.string().min(1).max(200).optional(),
      severity: z.enum(['critical', 'error', 'warning']).default('warning'),
      summary: z.string().max(2000).optional(),
      labels: z
        .record(z.string().min(1).max(100), z.string().max(500))
        .refine((labels) => Object.keys(labels).length <= 20, 'has more than 20 labels')
        .default({}),
    })
    .optional()
    .describe('what is wrong, as an alert that fires now'),
  waitSeconds: z
    .number()
    .min(0)
    .max(25)
    .default(10)
    .describe('how long to wait until it is known to which incident an alert belongs'),
})
type Input = z.output<typeof input>

export interface InvestigateDeps extends IntakeDeps {
  readonly clock: Clock
  readonly askForLook: (request: LookRequest) => Promise<number>
}

export function investigate(deps: InvestigateDeps): OfferedTool {
  const admit = createBound(deps.clock)
  return offer({
    name: 'investigate',
    title: 'Investigate',
    description:
      'Starts a new look at an incident (give `incident`; needs the scope incidents:approve), or posts an alert that fires now and is folded into an incident (give `alert`; needs alerts:write). Returns at once; read the result with get_incident or explain_incident. Approves nothing and carries nothing out.',
    scopes: ['incidents:approve', 'alerts:write'],
    input,
    readOnly: false,
    call: async (call: ToolCall<Input>) => {
      const { incident, alert } = call.input
      if ((incident === undefined) === (alert === undefined))
        throw new AppError('malformed', 'Give either `incident` or `alert`.')
      const scope = incident === undefined ? 'alerts:write' : 'incidents:approve'
      if (!mayDo(call.caller, scope))
        throw new AppError('forbidden', `The key "${call.caller.name}" lacks the scope ${scope}.`)
      admit(call.caller.keyId)
      return incident === undefined ? await postAlert(deps, call) : await lookAgain(deps, call, incident)
    },
  })
}

async function lookAgain({ db, askForLook }: InvestigateDeps, { caller }: ToolCall<Input>, incident: string) {
  const found = await findIncident(db, caller.tenant, incident)
  if (!found)
    throw new AppError('not_found', `There is no incident ${incident}. search_incidents lists those there are.`)
  const look = await askForLook({ incidentId: found.id, by: caller.name })
  return {
    incident: found.number,
    look,
    state: 'investigating',
    next: `get_incident ${found.number} in about a minute`,
  }
}

async function postAlert(deps: InvestigateDeps, { input, caller, quoting, signal }: ToolCall<Input>) {
  const { name, service, severity, summary = '', labels } = input.alert ?? { name: '', severity: 'warning', labels: {} }
  const now = deps.clock.now()
  const alert = completeLabelled({
    name,
    severity,
    status: 'firing',
    startsAtMs: now,
    endsAtMs: null,
    endsByMs: now + ALERT_LASTS_MS,
    labels: { ...labels, alertname: name, severity, ...(service === undefined ? {} : { service }) },
    annotations: { summary, posted_by: caller.name },
    urls: [],
    groupKey: null,
  })
  const body = JSON.stringify({ at: now, by: caller.name, alert: input.alert })
  await storeDelivery(deps, { tenant: caller.tenant, source: SOURCE, body, alerts: [alert] }, now)
  const life = { tenant: caller.tenant, identity: alert.identity, startsAtMs: now }
  return await waitForFolding(deps, life, { untilMs: now + input.waitSeconds * 1000, quoting, signal })
}

async function waitForFolding(
  { db, clock }: InvestigateDeps,
  { tenant, identity, startsAtMs }: { tenant: string; identity: string; startsAtMs: number },
  { untilMs, quoting, signal }: { untilMs: number; quoting: Quoting; signal: AbortSignal },
) {
  for (;;) {
    const alert = await db
      .selectFrom('alerts')
      .leftJoin('incidents', 'incidents.id', 'alerts.incident_id')
      .select(['alerts.decision', 'alerts.reason', 'incidents.number'])
      .where('alerts.tenant', '=', tenant)
      .where('alerts.source', '=', SOURCE)
      .where('alerts.identity', '=', identity)
      .where('alerts.starts_at', '=', startsAtMs)
      .executeTakeFirst()
    if (alert?.decision)
      return {
        decision: alert.decision,
        reason: quoting.text(alert.reason ?? ''),
        incident: alert.number,
        next: alert.number === null ? 'nothing is looked into' : `get_incident ${alert.number} in about a minute`,
      }
    if (clock.now() >= untilMs)
      return {
        decision: null,
        incident: null,
        next: 'It is stored and waits to be folded: search_incidents finds it in a moment.',
      }
    await clock.sleep(POLL_MS, signal)
  }
}

/** So many in so long, a key. Throws `limited`. */
function createBound(clock: Clock): (keyId: string) => void {
  const times = new Map<string, number[]>()
  return (keyId) => {
    const now = clock.now()
    const recent = (times.get(keyId) ?? []).filter((at) => now - at < WINDOW_MS)
    const [oldest] = recent
    if (recent.length >= MOST_IN_WINDOW && oldest !== undefined)
      throw new AppError('limited', `At most ${MOST_IN_WINDOW} investigations may be asked for in ten minutes.`, {
        retryAfterSeconds: Math.ceil((oldest + WINDOW_MS - now) / 1000),
      })
    times.delete(keyId)
    times.set(keyId, [...recent, now])
    const [longestAgo] = times.keys()
    if (times.size > MOST_CALLERS && longestAgo !== undefined) times.delete(longestAgo)
  }
}
