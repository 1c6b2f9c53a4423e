// The way of a request of any sender to the disk: which sender it is, what its bytes say, whether it is from whom it says,
// what alerts are in it, and then all of it in one transaction. Whoever is answered 202 can forget it.
import type { IncomingHttpHeaders } from 'node:http'
import type { IntakeConfig } from '../config/intake-schema.ts'
import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import type { JobHandler } from '../db/queue.ts'
import { type IntakeDeps, type Receipt, storeDelivery } from './intake.ts'
import { createSenders, type Senders } from './senders/all.ts'
import { createFetchText, type FetchText } from './senders/cloudwatch/fetch-aws.ts'
import { CONFIRM_SUBSCRIPTION, confirmSubscription } from './senders/cloudwatch/subscription.ts'
import { type Body, decodeBody } from './senders/decode-body.ts'
import { createProve } from './senders/prove.ts'
import { readBody } from './senders/read-delivery.ts'
import type { Reading, Sender } from './senders/sender.ts'

export interface PostedAlerts {
  readonly tenant: string
  /** The last part of the address; undefined where it was sent to none in particular. */
  readonly sender: string | undefined
  readonly bytes: Buffer
  readonly headers: IncomingHttpHeaders
  readonly signal: AbortSignal
}

export interface Received extends Receipt {
  readonly accepted: number
  readonly truncated: number
  readonly sender: string
  /** Why parts of it could not be read; they are kept. */
  readonly problems: readonly string[]
}

export interface Intake {
  /** Throws `not_found` for an unknown sender, and whatever refuses the body; nothing of it is stored then. */
  receive(posted: PostedAlerts): Promise<Received>
  readonly handlers: Readonly<Record<typeof CONFIRM_SUBSCRIPTION, JobHandler>>
}

export interface ReceiveDeps extends IntakeDeps {
  readonly clock: Clock
  readonly config: IntakeConfig
  /** How AWS is asked for a certificate or told that a subscription is wanted. */
  readonly fetchText?: FetchText
}

const MAX_PROBLEMS = 10

export function createIntake(deps: ReceiveDeps): Intake {
  const senders = createSenders(deps.config)
  const fetchText = deps.fetchText ?? createFetchText()
  const prove = createProve(deps.config, fetchText)

  const receive = async ({ tenant, sender: name, bytes, headers, signal }: PostedAlerts): Promise<Received> => {
    const named = name === undefined ? undefined : findSender(senders, name)
    const body = decodeBody(bytes, headers['content-type'], named === undefined || named.readText !== undefined)
    const sender = named ?? recogniseSender(senders, body, headers)
    const nowMs = deps.clock.now()
    await prove({ sender: sender.name, bytes, body, headers, nowMs, signal })
    const reading = readOrHint(senders, sender, body, headers, nowMs)
    const { alerts, accepted, jobs = [], truncated = 0 } = reading
    const receipt = await storeDelivery(
      deps,
      // PostgreSQL takes no NUL in a text.
      { tenant, source: sender.name, body: body.text.replaceAll('\0', '\uFFFD'), alerts, jobs },
      nowMs,
    )
    if (truncated > 0)
      deps.log.warn({ tenant, source: sender.name, truncated }, 'the sender left alerts out of a delivery')
    const problems = alerts.flatMap(({ decided }) => (decided?.kind === 'not_understood' ? [decided.reason] : []))
    if (problems.length > 0)
      deps.log.warn(
        { tenant, source: sender.name, problems: problems.slice(0, MAX_PROBLEMS) },
        'not all of a delivery was understood; it is kept',
      )
    return {
      ...receipt,
      accepted: accepted ?? alerts.length,
      truncated,
      sender: sender.name,
      problems: problems.slice(0, MAX_PROBLEMS),
    }
  }

  return {
    receive,
    handlers: { [CONFIRM_SUBSCRIPTION]: confirmSubscription({ db: deps.db, fetchText, log: deps.log }) },
  }
}

function findSender(senders: Senders, name: string): Sender {
  const sender = senders.find(name)
  if (sender) return sender
  throw new AppError(
    'not_found',
    `No sender is called ${name.slice(0, 60)}. Known are ${senders.names.join(', ')}; others are described in agent.intake.senders.`,
  )
}

function recogniseSender(senders: Senders, body: Body, headers: IncomingHttpHeaders): Sender {
  const [first] = body.kind === 'json' ? body.objects : []
  // Text says nothing of who sent it; only the headers do.
  return senders.recognise(first ?? {}, headers)
}

/** Reads the body; where it is another sender's, what is said of the failure names that one. */
function readOrHint(
  senders: Senders,
  sender: Sender,
  body: Body,
  headers: IncomingHttpHeaders,
  nowMs: number,
): Reading {
  const hint = (): string => {
    const [first] = body.kind === 'json' ? body.objects : []
    const other = first && senders.recognise(first, {})
    return other === undefined || other.name === sender.name || !other.recognises(first ?? {}, {})
      ? ''
      : ` It looks like ${other.title}: send it to /v1/alerts/${other.name}.`
  }
  let reading: Reading
  try {
    reading = readBody(sender, body, { headers, nowMs })
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const field = error.field === undefined ? {} : { field: error.field }
    throw new AppError(error.code, `${error.message}${hint()}`, { ...field, cause: error })
  }
  if (!reading.alerts.every(({ decided }) => decided?.kind === 'not_understood')) return reading
  const more = hint()
  if (more === '') return reading
  const alerts = reading.alerts.map((alert) =>
    alert.decided ? { ...alert, decided: { ...alert.decided, reason: `${alert.decided.reason}.${more}` } } : alert,
  )
  return { ...reading, alerts }
}
