// How dangerous a proposal is, 0 to 10, and what made it so.
import type { Edge } from '../../core/telemetry.ts'

export interface Risk {
  readonly risk: number
  readonly reasons: readonly string[]
}

/** The catalogue's number, what hangs on the service, and how unsure the cause is. */
export function weighRisk(catalogueRisk: number, service: string, topology: readonly Edge[], confidence: number): Risk {
  const reasons = [`the catalogue gives it ${catalogueRisk}`]
  let risk = catalogueRisk
  const dependents = dependentsOf(service, topology).size
  if (dependents >= 2) {
    const more = dependents >= 4 ? 2 : 1
    risk += more
    reasons.push(`${dependents} services depend on ${service} (+${more})`)
  }
  if (confidence < 0.75) {
    const more = confidence < 0.6 ? 2 : 1
    risk += more
    reasons.push(`the cause is only ${Math.round(confidence * 100)} % sure (+${more})`)
  }
  return { risk: Math.min(10, risk), reasons }
}

/** Everyone who calls a service, directly or through others. */
function dependentsOf(service: string, topology: readonly Edge[]): ReadonlySet<string> {
  const found = new Set<string>()
  const next = [service]
  for (let at = next.pop(); at !== undefined; at = next.pop()) {
    for (const { caller, callee } of topology) {
      if (callee !== at || caller === service || found.has(caller)) continue
      found.add(caller)
      next.push(caller)
    }
  }
  return found
}
