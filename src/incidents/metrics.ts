// What the incidents tell about themselves. Gauges are counted when they are asked for, from the database, so that
// they are right after a restart too.
import { Counter, Gauge } from 'prom-client'
import type { Db } from '../db/connect.ts'
import type { Log } from '../observe/log.ts'
import type { Metrics } from '../observe/metrics.ts'
import { INCIDENT_STATES } from './states.ts'
import type { IncidentTables } from './tables.ts'
import { countWaiting } from './folding/waiting-alerts.ts'

export interface IncidentMetrics {
  readonly alerts: AlertCounter
}

type AlertCounter = Counter<'source' | 'decision'>

/** The one counter of what was decided on alerts: when they are folded, or already when they come in. */
export function alertCounter(metrics: Metrics): AlertCounter {
  const name = 'midwatch_alerts_total'
  const known = metrics.getSingleMetric(name) as AlertCounter | undefined
  return (
    known ??
    new Counter({
      name,
      help: 'Alerts by what was decided: folded, or not understood and kept.',
      labelNames: ['source', 'decision'],
      registers: [metrics],
    })
  )
}

/** Registers the metrics of alerts and incidents. Once a registry. */
export function incidentMetrics(metrics: Metrics, db: Db<IncidentTables>, log: Log): IncidentMetrics {
  const registers = [metrics]
  /** A database that cannot be read leaves the last numbers standing rather than the whole page of metrics empty. */
  const orLog = async (count: () => Promise<void>): Promise<void> => {
    await count().catch((error: unknown) => log.warn({ err: error }, 'incidents could not be counted'))
  }
  void new Gauge({
    name: 'midwatch_incidents',
    help: 'Incidents by state.',
    labelNames: ['state'],
    registers,
    async collect() {
      await orLog(async () => {
        const rows = await db
          .selectFrom('incidents')
          .select((eb) => ['state', eb.fn.countAll<number>().as('n')])
          .groupBy('state')
          .execute()
        for (const state of INCIDENT_STATES) this.set({ state }, rows.find((row) => row.state === state)?.n ?? 0)
      })
    },
  })
  void new Gauge({
    name: 'midwatch_alerts_waiting',
    help: 'Alerts stored but not folded yet.',
    registers,
    async collect() {
      await orLog(async () => this.set(await countWaiting(db)))
    },
  })
  return {
    alerts: alertCounter(metrics),
  }
}
