// Long work on the embedded database never leaves JavaScript's microtasks, so nothing else in the process would run
// until it is done. Whoever does such work takes a breath now and then.
import { setImmediate as nextTurn } from 'node:timers/promises'

const WORK_MS = 10

/** A function to call between steps: it lets the rest of the process run when 10 ms of work have gone by. */
export function breath(): () => Promise<void> {
  let since = performance.now()
  return async () => {
    if (performance.now() - since < WORK_MS) return
    await nextTurn()
    since = performance.now()
  }
}
