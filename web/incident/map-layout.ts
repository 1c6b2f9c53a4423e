// Places the services of a failure in rows: who calls stands above whom it calls. Small graphs, a dozen services at
// most, so a longest-path layering with one pass of ordering is enough.
import type { Report } from '../../src/incidents/report.ts'

type ServiceMap = Report['map']
export type MapRole = ServiceMap['services'][number]['role']

export interface MapNode {
  readonly name: string
  readonly role: MapRole
  /** The middle of its box. */
  readonly x: number
  readonly y: number
}

export interface MapEdge {
  readonly from: MapNode
  readonly to: MapNode
  /** Both ends are the cause or hurt by it: the failure travels along it. */
  readonly failing: boolean
  /** Passes a row on its way, so it must be drawn around what stands there. */
  readonly passes: boolean
}

export interface MapLayout {
  readonly width: number
  readonly height: number
  readonly nodes: readonly MapNode[]
  readonly edges: readonly MapEdge[]
}

export const NODE_WIDTH = 136
export const NODE_HEIGHT = 40
const GAP_X = 20
const GAP_Y = 44

/** `maxWidth` in pixels: a row that would be wider is broken in two. */
export function layoutMap(map: ServiceMap, maxWidth: number): MapLayout {
  const names = new Set(map.services.map(({ name }) => name))
  const edges = map.edges.filter(({ caller, callee }) => names.has(caller) && names.has(callee) && caller !== callee)
  const layers = layerOf([...names], edges)
  const perRow = Math.max(1, Math.floor((maxWidth + GAP_X) / (NODE_WIDTH + GAP_X)))
  const rows = rowsOf(map.services, edges, layers, perRow)
  const width = Math.max(1, ...rows.map((row) => row.length)) * (NODE_WIDTH + GAP_X) - GAP_X
  const nodes = rows.flatMap((row, rowAt) => {
    const left = (width - (row.length * (NODE_WIDTH + GAP_X) - GAP_X)) / 2
    return row.map(({ name, role }, at): MapNode => ({
      name,
      role,
      x: left + at * (NODE_WIDTH + GAP_X) + NODE_WIDTH / 2,
      y: rowAt * (NODE_HEIGHT + GAP_Y) + NODE_HEIGHT / 2,
    }))
  })
  const byName = new Map(nodes.map((node) => [node.name, node]))
  return {
    width,
    height: Math.max(1, rows.length) * (NODE_HEIGHT + GAP_Y) - GAP_Y,
    nodes,
    edges: edges.flatMap(({ caller, callee }) => {
      const from = byName.get(caller)
      const to = byName.get(callee)
      if (!from || !to) return []
      return [
        {
          from,
          to,
          failing: from.role !== 'bystander' && to.role !== 'bystander',
          passes: Math.abs(to.y - from.y) > NODE_HEIGHT + GAP_Y,
        },
      ]
    }),
  }
}

type Edges = ServiceMap['edges']

/** Each service one layer below its lowest caller. A call that closes a circle is not followed. */
function layerOf(names: readonly string[], edges: Edges): ReadonlyMap<string, number> {
  const layers = new Map<string, number>()
  const visit = (name: string, layer: number, path: ReadonlySet<string>): void => {
    if (path.has(name) || layer > names.length || (layers.get(name) ?? -1) >= layer) return
    layers.set(name, layer)
    const below = new Set([...path, name])
    for (const { caller, callee } of edges) if (caller === name) visit(callee, layer + 1, below)
  }
  const called = new Set(edges.map(({ callee }) => callee))
  for (const name of names) if (!called.has(name)) visit(name, 0, new Set())
  // Only circles are left: begin anywhere.
  for (const name of names) if (!layers.has(name)) visit(name, 0, new Set())
  return layers
}

function rowsOf(
  services: ServiceMap['services'],
  edges: Edges,
  layers: ReadonlyMap<string, number>,
  perRow: number,
): ServiceMap['services'][] {
  const rows: ServiceMap['services'][] = []
  const column = new Map<string, number>()
  const depth = Math.max(0, ...layers.values())
  for (let layer = 0; layer <= depth; layer++) {
    const members = services.filter(({ name }) => layers.get(name) === layer)
    // Below the middle of its callers, so that lines cross less.
    const wanted = (name: string): number => {
      const above = edges.flatMap(({ caller, callee }) => (callee === name ? (column.get(caller) ?? []) : []))
      return above.length === 0 ? 0 : above.reduce((sum, at) => sum + at, 0) / above.length
    }
    const ordered = members.toSorted((a, b) => wanted(a.name) - wanted(b.name))
    ordered.forEach(({ name }, at) => column.set(name, at - (ordered.length - 1) / 2))
    for (let at = 0; at < ordered.length; at += perRow) rows.push(ordered.slice(at, at + perRow))
  }
  return rows
}
