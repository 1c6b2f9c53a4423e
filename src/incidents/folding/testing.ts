// A folder over a real database, fed through the intake: what the tests of this folder share.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { foldingSchema } from '../../config/folding-schema.ts'
import { ManualClock } from '../../core/clock.ts'
import type { Edge } from '../../core/telemetry.ts'
import { silentLog } from '../../observe/log.ts'
import { createMetrics } from '../../observe/metrics.ts'
import { createIncidentFeed } from '../feed.ts'
import { storeDelivery } from '../intake.ts'
import { openTestDb, readAlerts, type WireAlert, wireWebhook } from '../testing.ts'
import { readFoldingConfig } from './config.ts'
import { createFolder } from './folder.ts'
import { countWaiting } from './waiting-alerts.ts'

export const START = Date.UTC(2026, 10, 23, 3, 12)

export async function world(topology: readonly Edge[] = [], settings: object = {}) {
  const { db, connection } = await openTestDb()
  const clock = new ManualClock(START)
  const feed = createIncidentFeed()
  const log = silentLog()
  const metrics = createMetrics({ process: false })
  const woken = { times: 0 }
  const config = readFoldingConfig(foldingSchema.parse(settings))
  const onWork = () => void woken.times++
  const makeFolder = () =>
    createFolder({
      db,
      feed,
      topology: () => topology,
      config,
      clock,
      log,
      metrics: createMetrics({ process: false }),
      onWork,
    })
  const folder = createFolder({ db, feed, topology: () => topology, config, clock, log, metrics, onWork })

  const store = (alerts: readonly WireAlert[], tenant = 'default', more = {}) => {
    const body = wireWebhook(alerts, more)
    const incoming = readAlerts(body, clock.now())
    const deps = { db, feed, log, onStored: () => folder.wake() }
    return storeDelivery(
      deps,
      { tenant, source: 'alertmanager', body: JSON.stringify(body), alerts: incoming },
      clock.now(),
    )
  }
  const settled = async () => {
    while ((await countWaiting(db)) > 0) await nextTurn()
    // The metrics and the feed are told after the commit.
    await nextTurn()
  }
  const send = async (...alerts: WireAlert[]) => {
    folder.start()
    await store(alerts)
    await settled()
  }
  /** Moves the clock and lets the folder look, a few times. */
  const pass = async (ms: number) => {
    await clock.advance(ms)
    for (let i = 0; i < 5; i++) {
      await clock.advance(5000)
      for (let j = 0; j < 50; j++) await nextTurn()
    }
    await settled()
  }
  const incidents = () => db.selectFrom('incidents').selectAll().orderBy('tenant').orderBy('number').execute()
  const alerts = () => db.selectFrom('alerts').selectAll().orderBy('id').execute()
  const events = async () =>
    (await db.selectFrom('incident_events').select(['kind', 'text']).orderBy('position').execute()).map(
      ({ kind, text }) => `${kind}: ${text}`,
    )
  const end = async () => {
    await folder.stop()
    await connection.close()
  }
  return {
    db,
    clock,
    feed,
    metrics,
    woken,
    folder,
    makeFolder,
    store,
    settled,
    send,
    pass,
    incidents,
    alerts,
    events,
    end,
  }
}
