// What Prometheus reads of the gateway's state at the moment it looks: providers, breakers, and Little's law at the door.
import { Counter, Gauge } from 'prom-client'
import type { Metrics } from '../observe/metrics.ts'
import type { Breakers } from './breaker.ts'
import { CIRCUIT_STATES } from './circuit.ts'
import { PROVIDER_STATES, type ProviderHealth } from './health.ts'
import type { Turnstile } from './overload/turnstile.ts'

export interface Gauged {
  readonly health: ProviderHealth
  readonly breakers: Breakers
  readonly turnstile: Turnstile
}

/** They register themselves. Those with labels forget what is in the config no more. */
export function createGauges(registry: Metrics, { health, breakers, turnstile }: Gauged): void {
  const registers = [registry]
  const providers = new Gauge({
    name: 'llm_provider_state',
    help: '1 for the state a provider is in: ok, failing by its latest calls, open where it is not asked.',
    labelNames: ['provider', 'state'],
    registers,
    collect: () => {
      providers.reset()
      for (const [provider, state] of health.states()) {
        for (const one of PROVIDER_STATES) providers.set({ provider, state: one }, state === one ? 1 : 0)
      }
    },
  })
  const circuits = new Gauge({
    name: 'llm_breaker_state',
    help: '1 for the state of the breaker before a model of a provider: closed, recovering (one call at a time is let through), open.',
    labelNames: ['provider', 'model', 'state'],
    registers,
    collect: () => {
      circuits.reset()
      for (const { provider, model, state } of breakers.states()) {
        for (const one of CIRCUIT_STATES) circuits.set({ provider, model, state: one }, state === one ? 1 : 0)
      }
    },
  })
  const length = new Gauge({
    name: 'midwatch_queue_length',
    help: 'L: model calls in the system, under way or waiting to be let in.',
    registers,
    collect: () => {
      const { active, queued } = turnstile.state()
      length.set(active + queued)
    },
  })
  const waiting = new Gauge({
    name: 'midwatch_queue_waiting',
    help: 'Model calls that wait to be let in.',
    registers,
    collect: () => {
      waiting.set(turnstile.state().queued)
    },
  })
  const arrivals = new Gauge({
    name: 'midwatch_arrival_rate',
    help: 'λ: model calls a second that come to the door.',
    registers,
    collect: () => {
      arrivals.set(turnstile.state().arrivalsPerSecond)
    },
  })
  const time = new Gauge({
    name: 'midwatch_time_in_system_seconds',
    help: 'W: from the door to the end of the answer, on average of late. Absent until a call has ended.',
    registers,
    collect: () => {
      const { secondsInSystem } = turnstile.state()
      if (secondsInSystem === null) time.remove()
      else time.set(secondsInSystem)
    },
  })
  const shed = new Counter({
    name: 'midwatch_shed_total',
    help: 'Model calls that were sent away: too many were waiting (full), no place came free (waited), the event loop lagged.',
    labelNames: ['reason'],
    registers,
    collect: () => {
      shed.reset()
      for (const [reason, count] of Object.entries(turnstile.state().shed)) shed.inc({ reason }, count)
    },
  })
}
