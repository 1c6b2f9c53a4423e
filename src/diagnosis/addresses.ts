// Addresses that stand for services. A tracing backend shows a call through a load balancer as a call to its host name, beside
// the service behind it: what goes wrong there is how callers see that service. An address whose name holds a word of
// exactly one service that the same callers call, or that is in the topology at all, belongs to it.
import type { Topology } from './topology.ts'

/** A host name with at least one dot, as services are not named. */
const HOST = /^(?:[a-z]+:\/\/)?([a-z0-9-]+)(?:\.[a-z0-9-]+)*\.(?:com|net|org|io|local|internal|cluster|svc)(?![a-z])/i
const SHORTEST_WORD = 4
/** Words that name nobody, also where a balancer's name cut them short. */
const ANYBODY = [
  'service',
  'services',
  'server',
  'servers',
  'internal',
  'external',
  'public',
  'private',
  'cluster',
  'balancer',
  'prod',
  'production',
  'staging',
  'default',
  'gateway',
]

/** Address → the service that it stands for. */
export function findAddresses(topology: Topology, names: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const address of names) {
    const label = HOST.exec(address)?.[1]
    if (label === undefined || (topology.callees.get(address) ?? []).length > 0) continue
    const callers = topology.callers.get(address) ?? []
    const siblings = [...new Set(callers.flatMap((caller) => topology.callees.get(caller) ?? []))]
    const belongs = (candidates: readonly string[]) =>
      namedIn(
        label,
        candidates.filter((one) => !HOST.test(one)),
      )
    const service = belongs(siblings) ?? belongs(names)
    if (service !== undefined) found.set(address, service)
  }
  return found
}

/** The one name that holds the longest word of the label; undefined where none does, or several do. */
function namedIn(label: string, names: readonly string[]): string | undefined {
  const words = label
    .toLowerCase()
    .split('-')
    .filter((word) => word.length >= SHORTEST_WORD && !ANYBODY.some((one) => one.startsWith(word)))
  const plain = names.map((name) => ({ name, text: name.toLowerCase() }))
  const holders = new Set(
    words.flatMap((word) => {
      const its = plain.filter(({ text }) => text.includes(word))
      return its.length === 1 ? its.map(({ name }) => name) : []
    }),
  )
  const [only] = holders
  return holders.size === 1 ? only : undefined
}
