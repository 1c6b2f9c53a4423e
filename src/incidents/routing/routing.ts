// Classification in one piece: the handlers that its queue runs, and whom a news goes to. It has a worker of its own: who has
// to be woken must not wait for investigations to end.
import type { AgentConfig } from '../../config/schema.ts'
import { createKeyedLock } from '../../core/keyed-lock.ts'
import type { JobHandler } from '../../db/queue.ts'
import type { TargetsOf } from '../telling/targets.ts'
import { classify } from './classify.ts'
import type { RoutingContext } from './context.ts'
import { escalate } from './escalate.ts'
import { compileRoutes } from './route.ts'
import { targetsByRoute } from './targets.ts'

export interface RoutingOptions extends Omit<RoutingContext, 'routes' | 'config'> {
  readonly config: Pick<AgentConfig, 'services' | 'teams' | 'routes'>
}

export interface Routing {
  readonly handlers: Readonly<Record<'classify' | 'escalate', JobHandler>>
  readonly targetsOf: TargetsOf
}

export function createRouting({ config, ...options }: RoutingOptions): Routing {
  const context: RoutingContext = { ...options, config, routes: compileRoutes(config.routes) }
  // What was measured earlier must not be decided by later.
  const lock = createKeyedLock()
  return {
    handlers: {
      classify: (job, signal) => lock(job.key.split(':', 1)[0] ?? '', () => classify(context, job, signal)),
      escalate: (job) => escalate(context, job),
    },
    targetsOf: targetsByRoute(context),
  }
}
