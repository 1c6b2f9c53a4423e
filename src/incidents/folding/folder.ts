// The loop that folds waiting alerts, in this process, in bounded transactions. What waits is a row without a decision,
// so a crash loses nothing: the transaction under way never happened, and the next start goes on from there. Now and then
// it also ends the alerts that fell silent.
import type { Clock } from '../../core/clock.ts'
import type { Edge } from '../../core/telemetry.ts'
import type { Db } from '../../db/connect.ts'
import type { QueueTables } from '../../db/queue.ts'
import type { Log } from '../../observe/log.ts'
import type { Metrics } from '../../observe/metrics.ts'
import { breath } from '../breath.ts'
import type { IncidentFeed } from '../feed.ts'
import { endSilent } from './fallen-silent.ts'
import type { FoldingConfig } from './config.ts'
import { endFlapping } from './flapping.ts'
import { type Folded, foldAlert, type FoldTrx } from './fold.ts'
import { forgetSources, refreshSources } from './inhibition.ts'
import { incidentMetrics } from '../metrics.ts'
import { endMuting, openMuting } from './mute.ts'
import { createSenderClocks, rememberClocks } from './sender-clocks.ts'
import type { IncidentTables } from '../tables.ts'
import { nextWaiting } from './waiting-alerts.ts'

export interface FolderOptions {
  readonly db: Db<IncidentTables & QueueTables>
  readonly feed: IncidentFeed
  /** Who calls whom, as known now. Give the same array while it does not change: it is indexed once. */
  readonly topology: () => readonly Edge[]
  readonly config: FoldingConfig
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** After a commit that enqueued work on incidents. */
  readonly onWork?: () => void
}

export interface Folder {
  /** Folds what was left over, then what comes. */
  start(): void
  /** Alerts were stored, or a silence changed: look now rather than in a while. */
  wake(): void
  /** Finishes the transaction under way and stops. */
  stop(): Promise<void>
}

const BATCH = 200
const LOOK_EVERY_MS = 5000
const PAUSE_AFTER_FAILURE_MS = 1000
/** An alert that could not be folded is tried again after this long. */
const SET_ASIDE_MS = 60_000
const SILENCE_EVERY_MS = 60_000
const STABLE_EVERY_MS = 30_000
/** While we were down nobody could tell us anything. Senders try again; until then silence says nothing. */
const LISTEN_FIRST_MS = 30 * 60_000

export function createFolder(options: FolderOptions): Folder {
  const { db, feed, topology, config, clock, log } = options
  const counted = incidentMetrics(options.metrics, db, log)
  const stopping = new AbortController()
  /** Alerts that failed alone, with when to try again: one bad row must not hold up the others. */
  const aside = new Map<string, number>()
  const clocks = createSenderClocks()
  let loop: Promise<void> | undefined
  let wake = new AbortController()

  /** Returns how many were folded. */
  const foldBatch = async (limit: number): Promise<number> => {
    for (const [id, untilMs] of aside) if (untilMs <= clock.now()) aside.delete(id)
    const folded: Folded[] = []
    await db.transaction().execute(async (trx: FoldTrx) => {
      const pause = breath()
      const nowMs = clock.now()
      const rows = await nextWaiting(trx, limit, [...aside.keys()])
      const findMuting = await openMuting(trx, config, rows, nowMs)
      const context = { config, topology: topology(), clocks, findMuting, nowMs }
      for (const row of rows) {
        try {
          folded.push(await foldAlert(trx, row, context))
        } catch (error) {
          if (limit === 1) aside.set(row.id, clock.now() + SET_ASIDE_MS)
          throw error
        }
        await pause()
      }
    })
    tell(folded)
    return folded.length
  }

  const tell = (folded: readonly Folded[]): void => {
    for (const { kind, source } of folded) counted.alerts.inc({ source, decision: kind })
    if (folded.some(({ opened }) => opened)) options.onWork?.()
    for (const incidentId of new Set(folded.flatMap((one) => [one.incidentId, ...one.merged])))
      if (incidentId !== null) feed.publish(incidentId)
  }

  let silenceAtMs = Number.POSITIVE_INFINITY
  const listenFor = async (): Promise<void> => {
    if (clock.now() < silenceAtMs) return
    silenceAtMs = clock.now() + SILENCE_EVERY_MS
    const pause = breath()
    try {
      for (let more = true; more && !stopping.signal.aborted;) {
        const silenced = await endSilent(db, config.silentAfterMs, clock.now())
        more = silenced.more && silenced.ended > 0
        for (const incidentId of silenced.incidentIds) feed.publish(incidentId)
        await pause()
        if (silenced.ended > 0) log.info({ alerts: silenced.ended }, 'alerts that fell silent count as ended')
      }
    } catch (error) {
      log.error({ err: error }, 'alerts that fell silent could not be ended; it is tried again')
    }
  }

  let stableAtMs = 0
  let isPrepared = false
  /** What a person or the clock ended: silences and windows, and the flapping of what is stable. */
  const endStates = async (): Promise<void> => {
    try {
      if (!isPrepared) {
        await refreshSources(db, config.inhibit)
        await rememberClocks(db, clocks)
        isPrepared = true
      }
      const released = await endMuting(db, config, clock.now())
      if (released > 0) log.info({ alerts: released }, 'alerts are no longer held back and are folded')
      if (clock.now() < stableAtMs) return
      stableAtMs = clock.now() + STABLE_EVERY_MS
      const changed = await endFlapping(db, config.flapping, clock.now())
      for (const incidentId of changed) feed.publish(incidentId)
      if (changed.length > 0) options.onWork?.()
      await forgetSources(db)
    } catch (error) {
      log.error({ err: error }, 'it could not be seen which alerts are held back no more; it is tried again')
    }
  }

  const rest = async (ms: number, wakeable: boolean): Promise<void> => {
    const signal = wakeable ? AbortSignal.any([stopping.signal, wake.signal]) : stopping.signal
    await clock.sleep(ms, signal).catch(() => undefined)
    if (wake.signal.aborted) wake = new AbortController()
  }

  const run = async (): Promise<void> => {
    // A batch that failed is taken apart, one alert a transaction: the bad one fails alone, the others go on.
    let singles = 0
    silenceAtMs = clock.now() + LISTEN_FIRST_MS
    while (!stopping.signal.aborted) {
      await listenFor()
      await endStates()
      const limit = singles > 0 ? 1 : BATCH
      try {
        const folded = await foldBatch(limit)
        singles = folded === 0 ? 0 : Math.max(0, singles - 1)
        if (folded === 0) await rest(LOOK_EVERY_MS, true)
      } catch (error) {
        log.error({ err: error, batch: limit }, 'alerts could not be folded; they wait and are tried again')
        if (limit === 1) await rest(PAUSE_AFTER_FAILURE_MS, false)
        singles = limit === 1 ? 0 : BATCH
      }
    }
  }

  return {
    start: () => {
      loop ??= run()
    },
    wake: () => wake.abort(),
    stop: async () => {
      stopping.abort(new Error('Midwatch is stopping'))
      await loop
    },
  }
}
