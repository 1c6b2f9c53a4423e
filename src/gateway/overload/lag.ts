// How late the event loop is: what a timer finds, smoothed, so that one long pause (a collection of garbage) turns nobody
// away, and a process that cannot keep up does.

const INTERVAL_MS = 100
/** How much the latest reading counts. */
const LATEST = 0.5

export interface LagMeter {
  /** ms, over about the last quarter of a second. */
  lagMs(): number
  stop(): void
}

export function startLagMeter(intervalMs = INTERVAL_MS): LagMeter {
  let dueMs = performance.now() + intervalMs
  let smoothedMs = 0
  const timer = setInterval(() => {
    const nowMs = performance.now()
    smoothedMs += (Math.max(0, nowMs - dueMs) - smoothedMs) * LATEST
    dueMs = nowMs + intervalMs
  }, intervalMs)
  // It keeps no process alive.
  timer.unref()
  return { lagMs: () => smoothedMs, stop: () => clearInterval(timer) }
}
