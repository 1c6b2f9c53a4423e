// A job that runs away: it really uses the processor, in slices, and lets requests through between two of them.

const SLICE_MS = 280

/** Takes about `share` of one processor until the returned function is called. */
export function startRunawayJob(share: number): () => void {
  let timer: NodeJS.Timeout | undefined
  const slice = () => {
    const endsMs = performance.now() + SLICE_MS
    let sum = 0
    while (performance.now() < endsMs) for (let i = 1; i < 2000; i++) sum += Math.sqrt(i * sum + 1)
    timer = setTimeout(slice, SLICE_MS * (1 / share - 1))
  }
  slice()
  return () => clearTimeout(timer)
}
