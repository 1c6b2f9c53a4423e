// A series as uPlot takes it: seconds and values side by side, with a hole where nothing was measured.

type Points = readonly (readonly [number, number])[]

/** Times in seconds. A step of more than three times the usual one is a hole: no line is drawn across it. */
export function plotData(points: Points): [number[], (number | null)[]] {
  const times: number[] = []
  const values: (number | null)[] = []
  const usual = usualStep(points)
  let before: number | undefined
  for (const [at, value] of points) {
    if (before !== undefined && at - before > usual * 3) {
      times.push((before + usual) / 1000)
      values.push(null)
    }
    times.push(at / 1000)
    values.push(Number.isFinite(value) ? value : null)
    before = at
  }
  return [times, values]
}

/** The middle one of the steps between points. */
function usualStep(points: Points): number {
  const steps = points.slice(1).map(([at], i) => at - (points[i]?.[0] ?? at))
  return steps.sort((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0
}
