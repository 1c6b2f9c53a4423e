// Hands news out and carries it to its targets. One job a target, and one kind of job a channel, so that a channel that hangs
// or answers "slower, please" holds up no other one.
import { z } from 'zod'
import type { Clock } from '../../core/clock.ts'
import { describeError } from '../../core/errors.ts'
import { createKeyedLock } from '../../core/keyed-lock.ts'
import type { Db } from '../../db/connect.ts'
import { enqueue, type JobHandler, type QueueTables } from '../../db/queue.ts'
import type { IncidentFeed } from '../feed.ts'
import { addEvent } from '../store.ts'
import type { IncidentTables } from '../tables.ts'
import type { Channel, Target, Trace } from './channel.ts'
import { plannedNews } from './news.ts'
import { everyChannel, type TargetsOf } from './targets.ts'
import { readTold } from './told-incident.ts'

type TellingDb = Db<IncidentTables & QueueTables>

export interface TellingOptions {
  readonly db: TellingDb
  readonly channels: readonly Channel[]
  /** `everyChannel` unless told. */
  readonly targetsOf?: TargetsOf
  readonly clock: Clock
  readonly feed: IncidentFeed
  readonly publicUrl: string
  readonly confirmFromRisk: number
  /** There are jobs for channels now. */
  readonly onSpread?: () => void
}

export interface Telling {
  /** The handler of `news`. */
  readonly spread: JobHandler
  /** The handlers of each channel's own jobs, by kind. */
  readonly channels: Readonly<Record<string, JobHandler>>
}

/** A channel that is away for hours is told when it is back; then it is given up, and its incident says so. */
export const GIVE_UP_AFTER = 40
/** Once or twice is a hiccup. From then on people have to know that nobody was told, while there is time to mend it. */
const SAY_AFTER = 3

const carried = plannedNews.extend({ to: z.string().nullable() })

export function createTelling(options: TellingOptions): Telling {
  const { db, channels, targetsOf = everyChannel, onSpread } = options
  const lock = createKeyedLock()
  const routable = channels.filter(({ unrouted }) => !unrouted)
  const everywhere = channels
    .filter(({ unrouted }) => unrouted)
    .map(({ name }): Target => ({ channel: name, to: null }))
  const byName = new Map(channels.map((channel) => [channel.name, channel]))
  return {
    spread: async (job) => {
      const news = plannedNews.parse(job.payload)
      const spread = await db.transaction().execute(async (trx: TellingDb) => {
        const routed = await targetsOf(trx, news, routable)
        const targets = [...routed, ...everywhere].filter(({ channel }) => byName.get(channel)?.wants.has(news.kind))
        for (const { channel, to } of targets)
          await enqueue(trx, {
            kind: jobKind(channel),
            key: `${job.key}:${to ?? ''}`,
            payload: { ...news, to },
            runAtMs: news.at,
          })
        return targets.length
      })
      if (spread > 0) onSpread?.()
    },
    channels: Object.fromEntries(
      channels.map((channel): [string, JobHandler] => [
        jobKind(channel.name),
        // In the order in which they were written: nobody wants to read of an action before its proposal.
        (job, signal) => {
          const news = carried.parse(job.payload)
          const lane = `${channel.name} ${news.incidentId} ${news.to ?? ''}`
          return lock(lane, () => carry(options, channel, news, job.attempts, signal))
        },
      ]),
    ),
  }
}

const jobKind = (channel: string): string => `tell:${channel}`

/** Throws when it did not arrive, so that it is told again with the same key. */
async function carry(
  options: TellingOptions,
  channel: Channel,
  { incidentId, to, ...news }: z.infer<typeof carried>,
  attempts: number,
  signal: AbortSignal,
): Promise<void> {
  const { db, clock, feed } = options
  const incident = await readTold(db, incidentId, options)
  if (!incident) return
  const place = { incident_id: incidentId, channel: channel.name, recipient: to ?? '' }
  const trace = await readTrace(db, place)
  const leave = (left: Trace): Promise<void> => keepTrace(db, { ...place, tenant: incident.tenant }, left, clock.now())
  const key = `${incidentId}:${news.step}`
  const data = { step: news.step, channel: channel.name, to }
  const say = async (text: string, about: object): Promise<void> => {
    await note(db, incidentId, { at: clock.now(), text, data: about })
    feed.publish(incidentId)
  }
  try {
    const text = await channel.tell({ ...news, to, key, incident, trace, leave }, signal)
    if (text !== undefined) await say(text, data)
  } catch (error) {
    if (signal.aborted || attempts < SAY_AFTER) throw error
    const failed = `${to ?? `The ${channel.name}`} could not be told (${news.kind}): ${describeError(error)}`
    if (attempts >= GIVE_UP_AFTER) return await say(`${failed} It is not tried again.`, data)
    await say(`${failed} It goes on being tried.`, { ...data, failed: true })
    throw error
  }
}

/** Once, also where the crash came between the telling and the note. */
async function note(
  db: TellingDb,
  incidentId: string,
  { at, text, data }: { readonly at: number; readonly text: string; readonly data: object },
): Promise<void> {
  await db.transaction().execute(async (trx: TellingDb) => {
    const before = await trx
      .selectFrom('incident_events')
      .select('id')
      .where('incident_id', '=', incidentId)
      .where('kind', '=', 'notified')
      .where('data', '=', JSON.stringify(data))
      .executeTakeFirst()
    if (!before) await addEvent(trx, incidentId, { at, kind: 'notified', text, data })
  })
}

interface Place {
  readonly incident_id: string
  readonly channel: string
  readonly recipient: string
}

async function readTrace(db: TellingDb, place: Place): Promise<Trace | undefined> {
  return await db
    .selectFrom('told_traces')
    .select(['reference', 'title', 'url'])
    .where((eb) => eb.and({ ...place }))
    .executeTakeFirst()
}

async function keepTrace(
  db: TellingDb,
  place: Place & { readonly tenant: string },
  { reference, title, url }: Trace,
  at: number,
): Promise<void> {
  await db
    .insertInto('told_traces')
    .values({ ...place, reference, title, url, at })
    .onConflict((conflict) =>
      conflict.columns(['incident_id', 'channel', 'recipient']).doUpdateSet({ reference, title, url, at }),
    )
    .execute()
}
