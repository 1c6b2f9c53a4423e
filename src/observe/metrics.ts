// One registry a process, handed down; each feature makes its own metrics on it. Label values must be bounded:
// a name that a stranger can choose is first looked up, and counted as `unknown` when it is not ours.
import { collectDefaultMetrics, Registry } from 'prom-client'

export type Metrics = Registry

export function createMetrics(options: { process: boolean }): Metrics {
  const registry = new Registry()
  if (options.process) collectDefaultMetrics({ register: registry })
  return registry
}
