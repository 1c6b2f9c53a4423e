// A series as a line of a few pixels.

type Points = readonly (readonly [number, number])[]

/** An SVG path within the box; empty for fewer than two points. A flat series lies on the ground. */
export function sparkPath(points: Points, width: number, height: number): string {
  const first = points[0]
  const last = points.at(-1)
  if (!first || !last || first[0] === last[0]) return ''
  let low = Infinity
  let high = -Infinity
  for (const [, value] of points) {
    if (value < low) low = value
    if (value > high) high = value
  }
  const x = (at: number): number => ((at - first[0]) / (last[0] - first[0])) * width
  const y = (value: number): number => height - 1 - (high === low ? 0 : (value - low) / (high - low)) * (height - 2)
  return points.map(([at, value], i) => `${i === 0 ? 'M' : 'L'}${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join('')
}
