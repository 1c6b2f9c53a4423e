import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseConfig } from '../src/config/load.ts'
import { askPlainly, askStreaming, openDoor } from './client.ts'
import { configText } from './midwatch.ts'
import { cpuMicros, startChild } from './processes.ts'
import { growth } from './soak.ts'
import { inLetters, plainBody } from './workload.ts'

const bench = (...args: string[]) =>
  spawnSync(process.execPath, [join(import.meta.dirname, 'run.ts'), ...args], { encoding: 'utf8' })

describe('the bench', () => {
  test.each([
    [['--only', 'direct,squid'], /There is no squid\. Take some of direct, bare, nginx, portkey, midwatch/],
    [['--soak', 'many'], /Take a whole number from 1 on/],
    [['--fast'], /unknown option '--fast'/],
  ])('answers the wrong flags %j in a sentence, and starts nothing', (args, sentence) => {
    const { status, stderr } = bench(...args)
    expect(stderr).toMatch(sentence)
    expect(status).toBe(2)
  })

  test('asks Midwatch with a config that it takes, and with everything on', () => {
    const config = parseConfig(configText('http://127.0.0.1:1'), 'midwatch.yaml', {})
    expect(config.privacy.pii.action).toBe('pseudonymise')
    expect(config.models['bench']?.cache.mode).toBe('exact')
    for (const limits of [config.limits, config.limits.user, config.models['bench']?.limits]) {
      expect(limits).toMatchObject({ concurrency: 100_000, budgetUsd: { per: 'month' } })
    }
  })

  test('never sends the same twice, and always as many bytes', () => {
    const bodies = Array.from({ length: 50 }, plainBody)
    expect(new Set(bodies).size).toBe(50)
    expect(new Set(bodies.map((body) => body.length)).size).toBe(1)
    expect(inLetters(26 ** 4 + 1)).toBe('baaabaaa')
  })

  test('takes whole answers from its own provider, at its own pace, and knows what that cost the process', async () => {
    const upstream = await startChild(join(import.meta.dirname, 'upstream.ts'), [])
    const door = openDoor(`http://127.0.0.1:${upstream.said}`)
    try {
      const before = cpuMicros(upstream.pid)
      await askPlainly(door)
      const { firstMs, tookMs } = await askStreaming(door)
      expect(tookMs - firstMs).toBeGreaterThan(1_500)
      if (before !== undefined) expect((cpuMicros(upstream.pid) ?? 0) - before).toBeGreaterThan(100)
    } finally {
      await door.pool.destroy()
      await upstream.stop()
    }
  })

  test('takes memory for growing only by what it does once it is warm', () => {
    const at = (requests: number, residentMb: number) => ({ requests, seconds: 0, residentMb, heapMb: null })
    expect(growth([at(0, 50), at(100_000, 300), at(200_000, 300), at(300_000, 300)])).toBeNull()
    expect(growth([0, 1, 2, 3, 4, 5].map((i) => at(i * 100_000, i < 3 ? 50 * i : 200 + i)))).toBe(2.5)
  })
})
