// A debug trace that someone left on: it writes to the service's own volume until nothing fits any more.
import type { ShopLog } from './json-log.ts'
import type { Volume } from './volume.ts'

const EVERY_MS = 250
const SMALLEST_BYTES = 64

/** Returns how to stop it. What is written stays until the next start cleans the temporary folder. */
export function startTrace(disk: Volume, megabytesPerSecond: number, log: ShopLog): () => void {
  const file = `tmp/trace-${Date.now()}`
  const chunkBytes = Math.round((megabytesPerSecond * 1024 * 1024 * EVERY_MS) / 1000)
  let part = 0
  let told = false
  const timer = setInterval(() => {
    const bytes = Math.min(chunkBytes, disk.freeBytes())
    if (bytes >= SMALLEST_BYTES) return disk.write(`${file}.${part++}`, Buffer.alloc(bytes, 46))
    if (!told) log.warn('the debug trace is cut: no space left on device')
    told = true
  }, EVERY_MS)
  return () => clearInterval(timer)
}
