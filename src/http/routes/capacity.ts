// `GET /v1/capacity`: how calls come and go at the door, as Little's law has it: L = λW.
import type { Gateway } from '../../gateway/gateway.ts'
import { ok, type Route } from '../exchange.ts'

export const capacityRoutes = (gateway: Pick<Gateway, 'load' | 'overload'>): Route[] => [
  {
    method: 'GET',
    path: '/v1/capacity',
    scope: 'admin',
    handle: async () => {
      const { active, queued, tenantsQueued, arrivalsPerSecond, departuresPerSecond, secondsInSystem, lagMs, shed } =
        gateway.load()
      return ok({
        /** L, as it is now. */
        inSystem: active + queued,
        active,
        queued,
        tenantsQueued,
        /** λ */
        arrivalsPerSecond,
        departuresPerSecond,
        /** W; null until a call has ended. */
        secondsInSystem,
        eventLoopLagMs: lagMs,
        /** Sent away since the start, by why. */
        shed,
        limits: gateway.overload,
      })
    },
  },
]
