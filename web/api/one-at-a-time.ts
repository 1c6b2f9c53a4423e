// A burst of signals becomes one run, and a signal during a run becomes one more after it: so that a stream of events
// neither floods the server nor keeps an answer from ever arriving.

/** Returns the signal. A failed run is the runner's own business; the next signal runs again. */
export function oneAtATime(run: () => Promise<unknown>): () => void {
  let state: 'idle' | 'running' | 'again' = 'idle'
  const start = (): void => {
    state = 'running'
    const end = (): void => {
      if (state === 'again') start()
      else state = 'idle'
    }
    run().then(end, end)
  }
  return () => {
    if (state === 'idle') start()
    else state = 'again'
  }
}
