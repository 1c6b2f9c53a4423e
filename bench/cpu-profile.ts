// Reads what `node --cpu-prof` writes: how long each function was at work itself, and with what it called, within a window
// of time. Startup lies outside of the window and so does not blur what a call costs.

interface CallFrame {
  readonly functionName: string
  /** Empty for functions of the engine and of Node's own C++. */
  readonly url: string
  readonly lineNumber: number
}

export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: CallFrame
    readonly children?: readonly number[]
  }[]
  readonly samples: readonly number[]
  /** Microseconds since the sample before; the first since `startTime`. */
  readonly timeDeltas: readonly number[]
  /** Microseconds of the machine's monotonic clock, which `process.hrtime` reads too. */
  readonly startTime: number
}

export interface Cost {
  readonly name: string
  readonly micros: number
}

export interface Costs {
  /** Without idling. */
  readonly busyMicros: number
  /** Dearest first. */
  readonly functions: readonly Cost[]
  readonly files: readonly Cost[]
  /** Functions of ours with all that they called, which adds up to more than all. */
  readonly withCallees: readonly Cost[]
}

const IDLE = '(idle)'

export function costsWithin(profile: CpuProfile, fromMicros: number, toMicros: number): Costs {
  const self = selfMicros(profile, fromMicros, toMicros)
  const functions = new Map<string, number>()
  const files = new Map<string, number>()
  let busyMicros = 0
  for (const { id, callFrame } of profile.nodes) {
    const micros = self.get(id) ?? 0
    if (micros === 0 || callFrame.functionName === IDLE) continue
    busyMicros += micros
    add(functions, placeOf(callFrame), micros)
    add(files, fileOf(callFrame), micros)
  }
  return {
    busyMicros,
    functions: dearestFirst(functions),
    files: dearestFirst(files),
    withCallees: dearestFirst(ownWithCallees(profile, self)),
  }
}

/** A sample stands for the time until the next one. */
function selfMicros(profile: CpuProfile, fromMicros: number, toMicros: number): Map<number, number> {
  const self = new Map<number, number>()
  let at = profile.startTime
  for (const [i, id] of profile.samples.entries()) {
    at += profile.timeDeltas[i] ?? 0
    const until = at + (profile.timeDeltas[i + 1] ?? 0)
    const within = Math.min(until, toMicros) - Math.max(at, fromMicros)
    if (within > 0) self.set(id, (self.get(id) ?? 0) + within)
  }
  return self
}

function ownWithCallees({ nodes }: CpuProfile, self: ReadonlyMap<number, number>): Map<string, number> {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const children = new Set(nodes.flatMap((node) => node.children ?? []))
  const costs = new Map<string, number>()
  const walk = (id: number, above: ReadonlySet<string>): number => {
    const node = byId.get(id)
    if (!node) return 0
    const place = placeOf(node.callFrame)
    const inside = new Set(above).add(place)
    let micros = self.get(id) ?? 0
    for (const child of node.children ?? []) micros += walk(child, inside)
    // Where it called itself, the outer call has it all.
    if (micros > 0 && isOurs(node.callFrame.url) && !above.has(place)) add(costs, place, micros)
    return micros
  }
  for (const { id } of nodes) if (!children.has(id)) walk(id, new Set())
  return costs
}

const isOurs = (url: string): boolean => url.includes('/src/') && !url.includes('/node_modules/')

function placeOf(frame: CallFrame): string {
  const name = frame.functionName === '' ? '(anonymous)' : frame.functionName
  return frame.url === '' ? name : `${name} ${shortened(frame.url)}:${frame.lineNumber + 1}`
}

/** A file of ours, one of Node's, or a whole package. */
function fileOf({ url, functionName }: CallFrame): string {
  if (url === '') return functionName.startsWith('(') ? functionName : '(native)'
  const inPackage = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)
  return inPackage?.[1] ?? shortened(url)
}

const shortened = (url: string): string =>
  url.replace(/^.*\/(node_modules|src|bench)\//, (_, root: string) => (root === 'node_modules' ? '' : `${root}/`))

function add(sums: Map<string, number>, key: string, value: number): void {
  sums.set(key, (sums.get(key) ?? 0) + value)
}

const dearestFirst = (sums: ReadonlyMap<string, number>): Cost[] =>
  [...sums].map(([name, micros]) => ({ name, micros })).sort((a, b) => b.micros - a.micros)
