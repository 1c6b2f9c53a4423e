// The services that an action may ever touch: those of the configuration, of the topology and of the series. Never one
// whose name is known from a report alone: it may be out of a log line, which a stranger may have written.
import type { AgentConfig } from '../../config/schema.ts'
import type { Edge } from '../../core/telemetry.ts'

export const knownServicesOf = (
  config: Pick<AgentConfig, 'services' | 'actions'>,
  edges: readonly Edge[],
  measured: readonly string[],
): ReadonlySet<string> =>
  new Set([
    ...Object.entries(config.services).flatMap(([name, { dependsOn }]) => [name, ...dependsOn]),
    ...config.actions.flatMap(({ services }) => services.filter((name) => name !== '*')),
    ...edges.flatMap(({ caller, callee }) => [caller, callee]),
    ...measured,
  ])
