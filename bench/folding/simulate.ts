// Draws call graphs and faults in them, and folds the alerts in memory, by our rules or by a plain one.
import { createRandom, type Random } from '../../lab/platform/random.ts'
import type { Edge } from '../../src/core/telemetry.ts'
import { haveOneCause } from '../../src/incidents/folding/relate.ts'
import { alertKeys, decide, type FoldableAlert, type OpenIncident } from '../../src/incidents/folding/decide.ts'

export interface GeneratedAlert extends FoldableAlert {
  readonly fault: number
  readonly isRoot: boolean
  readonly arrivesAtMs: number
}

export interface StormSettings {
  readonly seed: number
  readonly faults: number
  readonly services: number
  /** Calls a service makes to others, on average. */
  readonly calls: number
  /** Share of faults that hurt those who are called rather than those who call. */
  readonly surge: number
  /** Whether no fault breaks what another broken service calls: there one cause explains both. */
  readonly apart: boolean
}

/** Services call only later ones, most of them near: the graph has no circles, and its end is shared by many. */
function drawTopology({ services, calls }: Pick<StormSettings, 'services' | 'calls'>, random: Random): readonly Edge[] {
  const edges: Edge[] = []
  for (let caller = 0; caller < services - 1; caller++) {
    const wanted = 1 + Math.floor(random.next() * (2 * calls - 1))
    const callees = new Set<number>()
    for (let i = 0; i < wanted; i++) {
      const far = 1 + Math.floor(random.next() ** 2 * Math.min(services - caller - 1, services / 2))
      callees.add(Math.min(services - 1, caller + far))
    }
    for (const callee of callees) edges.push({ caller: `s${caller}`, callee: `s${callee}` })
  }
  return edges
}

/** Alerts in the order in which they arrive. Every fault sets off one at least. */
export function generateStorm(settings: StormSettings): {
  alerts: readonly GeneratedAlert[]
  topology: readonly Edge[]
} {
  const random = createRandom(settings.seed)
  const topology = drawTopology(settings, random)
  const hurt = new Map<string, { fault: number; atMs: number; isRoot: boolean }>()
  const roots = new Set<number>()
  for (let tries = 0; roots.size < settings.faults && tries < 100; tries++) {
    const root = Math.floor(random.next() * settings.services)
    if (settings.apart && [...roots].some((other) => reaches(topology, root, other) || reaches(topology, other, root)))
      continue
    roots.add(root)
  }
  for (const [fault, root] of [...roots].entries()) {
    const down = random.next() < settings.surge
    spread(hurt, topology, `s${root}`, fault, random.next() * 60_000, down, random)
  }
  const alerts = [...hurt].flatMap(([service, { fault, atMs, isRoot }]) => {
    const names = ['Errors', 'Latency', 'Saturation'].slice(0, 1 + Math.floor(random.next() * 3))
    return names.map((name): GeneratedAlert => {
      // Rules are evaluated every 15 s and wait up to 30 s; their sender groups for up to 30 s more.
      const startsAtMs = 1_000_000 + atMs + random.next() * 15_000 + (random.next() < 0.5 ? 0 : 30_000)
      return {
        name,
        service,
        severity: 'critical',
        status: 'firing',
        fingerprint: `${service} ${name}`,
        groupKey: null,
        grouping: null,
        places: [],
        text: { scope: '', words: [] },
        atMs: startsAtMs,
        fault,
        isRoot,
        arrivesAtMs: startsAtMs + random.next() * 30_000,
      }
    })
  })
  return { alerts: alerts.sort((a, b) => a.arrivesAtMs - b.arrivesAtMs), topology }
}

function reaches(topology: readonly Edge[], from: number, to: number): boolean {
  const seen = new Set([`s${from}`])
  for (const at of seen) for (const { caller, callee } of topology) if (caller === at) seen.add(callee)
  return seen.has(`s${to}`)
}

/** From the root outwards. Not every service that suffers has a rule that says so, and trouble fades with distance. */
function spread(
  hurt: Map<string, { fault: number; atMs: number; isRoot: boolean }>,
  topology: readonly Edge[],
  root: string,
  fault: number,
  atMs: number,
  down: boolean,
  random: Random,
): void {
  const suffering = new Map([[root, { atMs, depth: 0 }]])
  for (const [service, { atMs: since, depth }] of suffering) {
    const tells = service === root || random.next() < 0.85
    const known = hurt.get(service)
    if (tells && (!known || since < known.atMs)) hurt.set(service, { fault, atMs: since, isRoot: service === root })
    if (down && depth >= 1) continue
    for (const { caller, callee } of topology) {
      const [from, to] = down ? [caller, callee] : [callee, caller]
      if (from !== service || suffering.has(to) || random.next() > (down ? 0.6 : 0.75 * 0.85 ** depth)) continue
      suffering.set(to, { atMs: since + 2000 + random.next() * 15_000, depth: depth + 1 })
    }
  }
}

/** `service`: the same service alone. `chain`: within three calls of any other. `told`: the roots are known. */
export type Rule = 'midwatch' | 'service' | 'chain' | 'told'

const RULES = { windowMs: 300_000, textSimilarity: 0.6 }

/** As the folder does while incidents collect alerts and nobody has looked at them. */
function mergeCollecting(
  one: Incident,
  incidents: readonly Incident[],
  nowMs: number,
  topology: readonly Edge[],
): void {
  for (const other of incidents) {
    if (other === one || other.into !== undefined) continue
    if (nowMs - Math.max(other.openedAtMs, one.openedAtMs) > GROUP_WAIT_MS) continue
    const services = [...one.services, ...other.services].map(({ service }) => service)
    if (!haveOneCause(services, topology)) continue
    other.into = one.number
    for (const hurt of other.services) addService(one, hurt.service, hurt.firstAtMs)
    for (const key of other.keys) one.keys.add(key)
    one.firstAtMs = Math.min(one.firstAtMs, other.firstAtMs)
    one.lastAtMs = Math.max(one.lastAtMs, other.lastAtMs)
    other.keys.clear()
    other.services.length = 0
  }
}

const GROUP_WAIT_MS = 30_000

interface Incident extends OpenIncident {
  /** Merged into that one. */
  into?: number
  readonly openedAtMs: number
  keys: Set<string>
  services: { service: string; firstAtMs: number }[]
  firstAtMs: number
  lastAtMs: number
}

/** The incident of each alert, by number. */
export function foldInMemory(
  alerts: readonly GeneratedAlert[],
  topology: readonly Edge[],
  rule: Rule,
): readonly number[] {
  if (rule === 'told') return assignToRoots(alerts, topology)
  const incidents: Incident[] = []
  const numbers = alerts.map((alert) => {
    const number =
      rule === 'midwatch' ? decideOn(alert, incidents, topology) : joinPlainly(alert, incidents, topology, rule)
    const incident = incidents[number] ?? begin(incidents, alert)
    add(incident, alert)
    if (rule === 'midwatch') mergeCollecting(incident, incidents, alert.arrivesAtMs, topology)
    return incident.number
  })
  return numbers.map((number) => {
    let into = number
    for (let next = incidents[into]?.into; next !== undefined; next = incidents[into]?.into) into = next
    return into
  })
}

/** What could be done at best by someone who was told the roots: each alert goes to the nearest root below it. */
function assignToRoots(alerts: readonly GeneratedAlert[], topology: readonly Edge[]): readonly number[] {
  const roots = alerts.filter(({ isRoot }) => isRoot)
  return alerts.map(({ service, fault }) => {
    let near = new Set([service ?? ''])
    for (let hops = 0; hops < 10; hops++) {
      const hit = roots.find((root) => near.has(root.service ?? ''))
      if (hit) return hit.fault
      near = new Set(topology.filter(({ caller }) => near.has(caller)).map(({ callee }) => callee))
    }
    return fault
  })
}

function decideOn(alert: GeneratedAlert, incidents: readonly Incident[], topology: readonly Edge[]): number {
  const decision = decide(alert, incidents, topology, RULES)
  return decision.kind === 'joined' ? Number(decision.incidentId) : -1
}

function joinPlainly(
  alert: GeneratedAlert,
  incidents: readonly Incident[],
  topology: readonly Edge[],
  rule: Rule,
): number {
  const near = rule === 'service' ? new Set([alert.service]) : within(alert.service ?? '', topology, 3)
  return incidents.findIndex(({ services }) => services.some(({ service }) => near.has(service)))
}

function within(service: string, topology: readonly Edge[], hops: number): ReadonlySet<string> {
  const reach = (from: 'caller' | 'callee', to: 'caller' | 'callee') => {
    let edge = new Set([service])
    const all = new Set([service])
    for (let i = 0; i < hops; i++) {
      edge = new Set(topology.filter((call) => edge.has(call[from])).map((call) => call[to]))
      for (const one of edge) all.add(one)
    }
    return all
  }
  return new Set([...reach('caller', 'callee'), ...reach('callee', 'caller')])
}

function begin(incidents: Incident[], alert: GeneratedAlert): Incident {
  const incident = {
    id: String(incidents.length),
    number: incidents.length,
    openedAtMs: alert.arrivesAtMs,
    keys: new Set<string>(),
    services: [],
    texts: [],
    firstAtMs: alert.atMs,
    lastAtMs: alert.atMs,
  }
  incidents.push(incident)
  return incident
}

function add(incident: Incident, alert: GeneratedAlert): void {
  for (const key of alertKeys(alert)) incident.keys.add(key)
  if (alert.service !== null) addService(incident, alert.service, alert.atMs)
  incident.firstAtMs = Math.min(incident.firstAtMs, alert.atMs)
  incident.lastAtMs = Math.max(incident.lastAtMs, alert.atMs)
}

function addService({ services }: Incident, service: string, atMs: number): void {
  const known = services.find((one) => one.service === service)
  if (known) known.firstAtMs = Math.min(known.firstAtMs, atMs)
  else services.push({ service, firstAtMs: atMs })
}
