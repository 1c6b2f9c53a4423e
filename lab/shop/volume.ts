// A service's disk: a real folder with a quota, so that it can really be full without filling the machine's disk.
// Sizes are those of the files that are there, whoever wrote them.
import { appendFileSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Registry } from 'prom-client'
import { addGauge } from './gauge.ts'

export interface Volume {
  readonly dir: string
  /** Both throw an error with the code ENOSPC when the quota does not allow it, as a full disk does. */
  append(file: string, data: string): void
  write(file: string, data: string | Uint8Array): void
  freeBytes(): number
}

export function openVolume(dir: string, quotaBytes: number, name: string, registry: Registry): Volume {
  mkdirSync(dir, { recursive: true })
  const freeBytes = () => Math.max(0, quotaBytes - usedBytes(dir))
  const labels = ['volume'] as const
  addGauge(registry, { name: 'disk_size_bytes', help: 'Size of the volume', labels }, (gauge) =>
    gauge.set({ volume: name }, quotaBytes),
  )
  addGauge(registry, { name: 'disk_free_bytes', help: 'Free space on the volume', labels }, (gauge) =>
    gauge.set({ volume: name }, freeBytes()),
  )
  const needs = (bytes: number, file: string) => {
    if (freeBytes() >= bytes) return
    throw Object.assign(new Error(`ENOSPC: no space left on device, write '${join(dir, file)}'`), { code: 'ENOSPC' })
  }
  return {
    dir,
    freeBytes,
    append: (file, data) => {
      needs(Buffer.byteLength(data), file)
      appendFileSync(join(dir, file), data)
    },
    write: (file, data) => {
      needs(typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength, file)
      mkdirSync(join(dir, file, '..'), { recursive: true })
      writeFileSync(join(dir, file), data)
    },
  }
}

/** A file that goes away while we look counts nothing. */
function usedBytes(dir: string): number {
  let bytes = 0
  for (const entry of readdirSync(dir, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue
    bytes += statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0
  }
  return bytes
}
