// Who calls whom, learned from the labels of metrics that name the other end of a call, and from the configuration.
// Folding asks for it at every alert, so it is kept in memory and read again in the background.
import type { AgentConfig } from '../../config/schema.ts'
import type { Clock } from '../../core/clock.ts'
import type { Edge, MetricSource, Series } from '../../core/telemetry.ts'
import { peerLabel, peerOf } from '../../diagnosis/metric-roles.ts'
import type { Log } from '../../observe/log.ts'
import { withDeadline } from '../../core/deadline.ts'
import { mapParallel } from '../../core/parallel.ts'

export interface TopologyMemory {
  edges(): readonly Edge[]
  /** Adds what these series show. */
  learn(series: readonly Series[]): void
  /** Asks the metric sources. A source that fails is logged and leaves what was known. */
  refresh(sources: readonly MetricSource[], signal: AbortSignal): Promise<void>
}

/** How far back a call counts, so that a service that has gone quiet keeps its neighbours. */
const LOOK_BACK_MS = 15 * 60_000
const STEP_MS = 60_000
const DEADLINE_MS = 15_000
const MAX_EDGES = 5000

export function createTopologyMemory(services: AgentConfig['services'], clock: Clock, log: Log): TopologyMemory {
  const known = new Map<string, Edge>()
  /** The same array as long as nothing new is learned, so that others can index it once. */
  let list: readonly Edge[] = []
  const add = (caller: string, callee: string): void => {
    if (caller === '' || callee === '' || caller === callee || known.size >= MAX_EDGES) return
    const key = `${caller}\u0000${callee}`
    if (known.has(key)) return
    known.set(key, { caller, callee })
    list = [...known.values()]
  }
  for (const [caller, { dependsOn }] of Object.entries(services)) for (const callee of dependsOn) add(caller, callee)

  const learn = (series: readonly Series[]): void => {
    for (const one of series) {
      const callee = peerOf(one.labels)
      if (callee !== undefined) add(one.service, callee)
    }
  }

  const refreshFrom = async (source: MetricSource, signal: AbortSignal): Promise<void> => {
    const toMs = clock.now()
    const range = { fromMs: toMs - LOOK_BACK_MS, toMs, stepMs: STEP_MS }
    const catalogue = await source.catalogue(range, signal)
    const counters = catalogue.filter(({ type, name }) => type === 'counter' || /_(total|count)$/.test(name))
    await mapParallel(counters, 8, async ({ name }) => {
      const peer = peerLabel(await source.labelNames(name, range, signal))
      if (peer !== undefined) learn(await source.query({ metric: name, as: 'rate', by: [peer] }, range, signal))
    })
  }

  return {
    edges: () => list,
    learn,
    refresh: async (sources, signal) => {
      await Promise.all(
        sources.map(async (source) => {
          try {
            await withDeadline(clock, DEADLINE_MS, signal, (inner) => refreshFrom(source, inner))
          } catch (error) {
            if (!signal.aborted) log.warn({ err: error, source: source.name }, 'the topology could not be read')
          }
        }),
      )
    },
  }
}
