// A series over time: before the onset shaded one way, after it another, with the onset and the changes marked.
// Loaded only when there is something to plot. What it shows is also said in words beside it.
import { useEffect, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { measured, onAxis } from '../format/number.ts'
import { clock } from '../format/time.ts'
import { plotData } from './plot-data.ts'

export interface PlotProps {
  readonly points: readonly (readonly [number, number])[]
  readonly unit: string
  readonly fromMs: number
  readonly toMs: number
  readonly onsetMs: number | null
  readonly changes: readonly { readonly at: number; readonly label: string }[]
  /** What it shows, for those who cannot see it. */
  readonly says: string
}

const HEIGHT = 170

export default function Plot(props: PlotProps) {
  const place = useRef<HTMLDivElement>(null)
  const readout = useRef<HTMLParagraphElement>(null)
  const shape = JSON.stringify(props)
  useEffect(() => {
    const parent = place.current
    if (!parent) return
    const given = JSON.parse(shape) as PlotProps
    const plot = new uPlot(options(given, parent, readout), plotData(given.points), parent)
    const resized = new ResizeObserver(() => plot.setSize({ width: parent.clientWidth, height: HEIGHT }))
    resized.observe(parent)
    const theme = matchMedia('(prefers-color-scheme: dark)')
    const redraw = (): void => plot.redraw(false, true)
    theme.addEventListener('change', redraw)
    return () => {
      theme.removeEventListener('change', redraw)
      resized.disconnect()
      plot.destroy()
    }
  }, [shape])
  return (
    <figure className="plot">
      <div className="plot-place" ref={place} role="img" aria-label={props.says} />
      <figcaption ref={readout} aria-hidden="true">
        {caption(props)}
      </figcaption>
    </figure>
  )
}

const caption = ({ unit, onsetMs, changes }: PlotProps): string =>
  [
    onAxis(1, unit) === measured(1, unit) ? '' : `in ${unit.replace(/^\//, 'per ')}`,
    onsetMs === null ? '' : 'dashed line: onset',
    changes.length === 0 ? '' : `diamond: ${changes.map(({ label }) => label).join(', ')}`,
  ]
    .filter((part) => part !== '')
    .join(' · ')

function options(
  props: PlotProps,
  parent: HTMLElement,
  readout: { readonly current: HTMLElement | null },
): uPlot.Options {
  const { unit, fromMs, toMs } = props
  const colour = (name: string): string => getComputedStyle(parent).getPropertyValue(name).trim()
  const font = `${getComputedStyle(parent).fontSize} ${getComputedStyle(parent).fontFamily}`
  const axis = { stroke: () => colour('--quiet'), font, ticks: { show: false } }
  const grid = { stroke: () => colour('--line'), width: 1 }
  return {
    width: parent.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    scales: { x: { time: true, range: [fromMs / 1000, toMs / 1000] }, y: { range: yRange } },
    axes: [
      { ...axis, grid: { show: false }, size: 26, space: 80, values: timesOnAxis },
      { ...axis, grid, size: 64, space: 36, values: (_, values) => values.map((value) => onAxis(value, unit)) },
    ],
    series: [{}, { stroke: () => colour('--plot-line'), width: 1.5, points: { show: false } }],
    hooks: {
      drawClear: [(plot) => shade(plot, props, colour)],
      draw: [(plot) => mark(plot, props, colour)],
      setCursor: [
        (plot) => {
          const at = plot.cursor.idx == null ? undefined : plot.data[0][plot.cursor.idx]
          const value = plot.cursor.idx == null ? undefined : plot.data[1]?.[plot.cursor.idx]
          if (readout.current)
            readout.current.textContent =
              at === undefined || value == null
                ? caption(props)
                : `${clock(at * 1000, { seconds: true })}   ${measured(value, unit)}`
        },
      ],
    },
  }
}

/** Seconds are told where the marks are closer than a minute. */
const timesOnAxis: uPlot.Axis.DynamicValues = (_plot, times, _axis, _space, stepSeconds) =>
  times.map((at) => clock(at * 1000, { seconds: stepSeconds < 60 }))

/** From zero, unless the values stay far from it: so that a jump looks as large as it is. */
function yRange(_plot: uPlot, low: number | null, high: number | null): uPlot.Range.MinMax {
  if (low === null || high === null) return [0, 1]
  const room = (high - low || Math.abs(high) || 1) * 0.08
  const farFromZero = low > 0 && high - low < low * 0.1
  return [low < 0 || farFromZero ? low - room : 0, high + room]
}

type Colour = (name: string) => string

function shade(plot: uPlot, { onsetMs, fromMs, toMs }: PlotProps, colour: Colour): void {
  if (onsetMs === null) return
  const { ctx, bbox } = plot
  const edge = xOf(plot, Math.min(toMs, Math.max(fromMs, onsetMs)))
  ctx.save()
  ctx.fillStyle = colour('--plot-before')
  ctx.fillRect(bbox.left, bbox.top, edge - bbox.left, bbox.height)
  ctx.fillStyle = colour('--plot-after')
  ctx.fillRect(edge, bbox.top, bbox.left + bbox.width - edge, bbox.height)
  ctx.restore()
}

function mark(plot: uPlot, { onsetMs, changes, fromMs, toMs }: PlotProps, colour: Colour): void {
  const { ctx, bbox } = plot
  const scale = devicePixelRatio
  const inRange = (at: number): boolean => at >= fromMs && at <= toMs
  ctx.save()
  ctx.lineWidth = scale
  if (onsetMs !== null && inRange(onsetMs)) {
    ctx.strokeStyle = colour('--plot-onset')
    ctx.setLineDash([5 * scale, 4 * scale])
    line(ctx, xOf(plot, onsetMs), bbox.top, bbox.top + bbox.height)
  }
  ctx.setLineDash([])
  ctx.strokeStyle = colour('--text')
  ctx.fillStyle = colour('--text')
  for (const { at } of changes.filter((change) => inRange(change.at))) {
    const x = xOf(plot, at)
    line(ctx, x, bbox.top, bbox.top + bbox.height)
    diamond(ctx, x, bbox.top + 6 * scale, 5 * scale)
  }
  ctx.restore()
}

const xOf = (plot: uPlot, ms: number): number => plot.valToPos(ms / 1000, 'x', true)

function line(ctx: CanvasRenderingContext2D, x: number, top: number, bottom: number): void {
  ctx.beginPath()
  ctx.moveTo(x, top)
  ctx.lineTo(x, bottom)
  ctx.stroke()
}

function diamond(ctx: CanvasRenderingContext2D, x: number, y: number, size: number): void {
  ctx.beginPath()
  ctx.moveTo(x, y - size)
  ctx.lineTo(x + size, y)
  ctx.lineTo(x, y + size)
  ctx.lineTo(x - size, y)
  ctx.fill()
}
