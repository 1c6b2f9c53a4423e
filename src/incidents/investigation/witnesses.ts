// How a diagnosis is cross-examined: the sources asked anew, each call with a deadline. Who cannot be asked confirms
// nothing, so the claim that leans on it falls.
import { withDeadline } from '../../core/deadline.ts'
import type { LogLine, MetricQuery, MetricSource } from '../../core/telemetry.ts'
import { readSignals, type Signal } from '../../diagnosis/service-signals.ts'
import type { InvestigationContext } from './context.ts'
import { getIncident } from './incident.ts'
import { signalsIn } from './inquiry/metric-tools.ts'
import { askAll, type Readings } from './read.ts'
import { callsIn, type Witnesses } from './recheck.ts'
import type { InvestigationState } from './state.ts'

const DEADLINE_MS = 15_000
const MOST_LINES = 5000

/** Changes are read again at once; each group of queries is asked once, however many claims need it. */
export async function callWitnesses(
  context: InvestigationContext,
  state: InvestigationState,
  readings: Readings,
  signal: AbortSignal,
): Promise<Witnesses> {
  const { db, sources, changes, clock, log } = context
  const { tenant } = await getIncident(db, state.incidentId)
  const { alertAtMs, fromMs, toMs, stepMs } = state.window

  const attempt = async <T>(source: string, nothing: T, ask: (inner: AbortSignal) => Promise<T>): Promise<T> => {
    try {
      return await withDeadline(clock, DEADLINE_MS, signal, ask)
    } catch (error) {
      signal.throwIfAborted()
      log.warn({ err: error, source }, 'a claim could not be asked for again')
      return nothing
    }
  }
  const answers = new Map<string, Promise<readonly Signal[]>>()
  const ask = (source: MetricSource, queries: readonly MetricQuery[]): Promise<readonly Signal[]> =>
    attempt(source.name, [], async (inner) =>
      readSignals(await askAll(source, queries, { fromMs, toMs, stepMs }, inner)),
    )

  return {
    signals: (source, queries) => {
      const key = JSON.stringify([source.name, queries])
      const answer = answers.get(key) ?? ask(source, queries)
      answers.set(key, answer)
      return answer
    },
    line: async (ref) => {
      // A reference is understood by the source that gave it; the others do not know it.
      const none: LogLine | undefined = undefined
      for (const source of sources.logs) {
        const line = await attempt<LogLine | undefined>(source.name, none, (inner) => source.findLine(ref, inner))
        if (line) return line
      }
      return undefined
    },
    latestLines: async (service) => {
      const query = { fromMs: alertAtMs, toMs, services: [service], limit: MOST_LINES }
      const read = await Promise.all(
        sources.logs.map((source) =>
          attempt(source.name, null, async (inner) => (await source.read(query, inner)).lines),
        ),
      )
      return read.includes(null) ? null : read.flatMap((lines) => lines ?? [])
    },
    asked: readings.asked,
    changes: await attempt('changes', [], () => changes({ tenant, fromMs, toMs })),
    topology: [...readings.topology, ...callsIn(signalsIn(readings))],
  }
}
