// The path of the failure: who calls whom, the guilty one marked, those it hurts grey.
import { useEffect, useRef, useState } from 'react'
import type { IncidentView } from '../../src/incidents/view.ts'
import { layoutMap, type MapEdge, type MapNode, type MapRole, NODE_HEIGHT, NODE_WIDTH } from './map-layout.ts'

const ROLE_WORDS: Readonly<Record<MapRole, string>> = { cause: 'the cause', victim: 'hurt', bystander: 'not hurt' }

const MAX_NAME = 17
/** Room at the sides for calls that go around a row. */
const MARGIN = 14

export function ServiceMap({ view }: { readonly view: IncidentView }) {
  const place = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState(320)
  useEffect(() => {
    if (!place.current) return
    const observer = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 320))
    observer.observe(place.current)
    return () => observer.disconnect()
  }, [])
  const map = view.report?.map
  if (!map || map.services.length < 2) return null
  const layout = layoutMap(map, width - 2 * MARGIN)
  const inWords = [
    ...map.services.map(({ name, role }) => `${name}: ${ROLE_WORDS[role]}.`),
    ...map.edges.map(({ caller, callee }) => `${caller} calls ${callee}.`),
  ].join(' ')
  return (
    <section aria-labelledby="map">
      <h2 id="map">Where it travels</h2>
      <div className="map" ref={place}>
        <svg
          viewBox={`${-MARGIN} -4 ${layout.width + 2 * MARGIN} ${layout.height + 8}`}
          width={layout.width + 2 * MARGIN}
          height={layout.height + 8}
          role="img"
          aria-label={inWords}
        >
          <defs>
            <marker
              id="arrow"
              viewBox="0 0 8 8"
              refX="7"
              refY="4"
              markerWidth="8"
              markerHeight="8"
              markerUnits="userSpaceOnUse"
              orient="auto"
            >
              <path d="M0 0.5 8 4 0 7.5z" className="arrow" />
            </marker>
          </defs>
          {layout.edges.map((edge) => (
            <Call key={`${edge.from.name} ${edge.to.name}`} edge={edge} middle={layout.width / 2} />
          ))}
          {layout.nodes.map((node) => (
            <Service key={node.name} node={node} />
          ))}
        </svg>
      </div>
      <p className="quiet">Arrows point from who calls to whom it calls. The failure travels against them.</p>
    </section>
  )
}

function Call({ edge: { from, to, failing, passes }, middle }: { readonly edge: MapEdge; readonly middle: number }) {
  const down = to.y >= from.y
  const startY = from.y + (down ? NODE_HEIGHT / 2 : -NODE_HEIGHT / 2)
  const endY = to.y + (down ? -NODE_HEIGHT / 2 : NODE_HEIGHT / 2)
  const bend = (startY + endY) / 2
  // Around the boxes between, on the side where it begins.
  const aside = passes ? (from.x < middle ? -0.75 : 0.75) * NODE_WIDTH : 0
  const turn = passes ? [startY + NODE_HEIGHT, endY - NODE_HEIGHT] : [bend, bend]
  return (
    <path
      className={failing ? 'call failing' : 'call'}
      d={`M${from.x} ${startY}C${from.x + aside} ${turn[0]} ${to.x + aside} ${turn[1]} ${to.x} ${endY}`}
      markerEnd="url(#arrow)"
    />
  )
}

function Service({ node: { name, role, x, y } }: { readonly node: MapNode }) {
  return (
    <g className={`service ${role}`} transform={`translate(${x - NODE_WIDTH / 2} ${y - NODE_HEIGHT / 2})`}>
      <title>{`${name}: ${ROLE_WORDS[role]}`}</title>
      <rect width={NODE_WIDTH} height={NODE_HEIGHT} rx="5" />
      <text x={NODE_WIDTH / 2} y="17">
        {name.length > MAX_NAME ? `${name.slice(0, MAX_NAME - 1)}…` : name}
      </text>
      <text x={NODE_WIDTH / 2} y="32" className="role">
        {ROLE_WORDS[role]}
      </text>
    </g>
  )
}
