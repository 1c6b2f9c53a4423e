import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openVolume } from './volume.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'midwatch-volume-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

test('a write that does not fit fails as on a full disk, and leaves the file as it was', () => {
  const volume = openVolume(dir, 100, 'data', new Registry())
  volume.append('log', 'x'.repeat(60))
  expect(() => volume.append('log', 'y'.repeat(60))).toThrow(/ENOSPC: no space left on device/)
  expect(readFileSync(join(dir, 'log'), 'utf8')).toBe('x'.repeat(60))
  expect(volume.freeBytes()).toBe(40)
})

test('files of others count, and the gauges tell the truth of the moment', async () => {
  const registry = new Registry()
  const volume = openVolume(dir, 1000, 'data', registry)
  volume.write('tmp/deep', 'x'.repeat(300))
  writeFileSync(join(dir, 'foreign'), 'y'.repeat(500))
  expect(await registry.metrics()).toContain('disk_free_bytes{volume="data"} 200')
  rmSync(join(dir, 'foreign'))
  expect(await registry.metrics()).toContain('disk_free_bytes{volume="data"} 700')
})
