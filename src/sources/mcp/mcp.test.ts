import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { Secret } from '../../core/secret.ts'
import type { ToolSource } from '../../llm/tool.ts'
import { silentLog } from '../../observe/log.ts'
import { createMcpSource, type McpSourceOptions } from './mcp.ts'
import { LIE, serveBadServer } from './testing/server.ts'

const TOKEN = 'tok-very-secret-1841'
const never = new AbortController().signal
const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

function source(more: Partial<McpSourceOptions>): ToolSource {
  const made = createMcpSource({
    name: 'deploys',
    args: [],
    env: {},
    headers: {},
    tools: ['get_*'],
    timeoutMs: 15_000,
    maxBytes: 4000,
    callsPerMinute: 100,
    version: '1',
    clock: systemClock,
    log: silentLog(),
    ...more,
  })
  ends.push(() => made.stop())
  return made
}

const overStdio = (more: Partial<McpSourceOptions> = {}) =>
  source({
    command: process.execPath,
    args: [join(import.meta.dirname, 'testing/server.ts'), 'stdio'],
    env: { DEPLOY_TOKEN: new Secret(TOKEN) },
    ...more,
  })

async function overHttp(more: Partial<McpSourceOptions> = {}) {
  const called: string[] = []
  const seen: Record<string, unknown>[] = []
  const { url, stop } = await serveBadServer(
    (tool) => called.push(tool),
    (headers) => seen.push(headers as Record<string, unknown>),
  )
  ends.push(stop)
  return { tools: source({ url, headers: { authorization: new Secret(`Bearer ${TOKEN}`) }, ...more }), called, seen }
}

describe('over standard input and output', () => {
  test('a tool is called with its arguments, and its answer and its lies come back as text', async () => {
    const { text, failed, truncated } = await overStdio().call('get_deploys', { service: 'inventory' }, never)
    expect(text).toBe(`deploys of inventory: 8f2c1 at 02:12, by Jonas. ${LIE}`)
    expect([failed, truncated]).toEqual([false, false])
  })

  test('a server gets its own secrets and none of ours, and cannot send them back', async () => {
    process.env['MIDWATCH_KEY'] = 'mw_ours'
    ends.push(async () => void delete process.env['MIDWATCH_KEY'])
    const { text } = await overStdio().call('get_secret', {}, never)
    expect(text).toBe('the token is ***, HOME is set, MIDWATCH_KEY is hidden')
  })

  test('one that hangs is ended at the deadline, left alone for a while, and asked again later', async () => {
    let now = 1_000_000
    const clock = { ...systemClock, now: () => now }
    const tools = overStdio({ clock, timeoutMs: 3000 })
    await expect(tools.call('get_stuck', {}, never)).rejects.toMatchObject({ code: 'deadline' })
    await expect(tools.call('get_deploys', {}, never)).rejects.toThrow(/left alone/)
    now += 20_000
    expect((await tools.call('get_deploys', { service: 'a' }, never)).text).toContain('deploys of a')
  })

  test('one that dies is told as such, and what waits for it is not left waiting', async () => {
    await expect(overStdio().call('get_death', {}, never)).rejects.toMatchObject({ code: 'unavailable' })
  })

  test.each(['get_flood', 'get_endless'])('one that floods (%s) is ended, and this process goes on', async (tool) => {
    let turns = 0
    const turning = setInterval(() => turns++, 5)
    await expect(overStdio().call(tool, {}, never)).rejects.toMatchObject({ code: 'unavailable' })
    clearInterval(turning)
    expect(turns).toBeGreaterThan(0)
  })

  test('a program that is not there, or speaks something else, is told as what cannot be asked', async () => {
    await expect(source({ command: '/nowhere/at-all' }).call('get_deploys', {}, never)).rejects.toMatchObject({
      code: 'unavailable',
    })
    await expect(source({ command: 'cat', timeoutMs: 2000 }).call('get_deploys', {}, never)).rejects.toThrow(
      /could not be asked/,
    )
  })
})

describe('over HTTP', () => {
  test('a tool is called with the headers of the config', async () => {
    const { tools, seen } = await overHttp()
    expect((await tools.call('get_deploys', { service: 'cart' }, never)).text).toContain('deploys of cart')
    expect(seen.every(({ authorization }) => authorization === `Bearer ${TOKEN}`)).toBe(true)
  })

  test('what is not allowed is never called, whatever the server declares or tells', async () => {
    const { tools, called } = await overHttp()
    await expect(tools.call('delete_everything', {}, never)).rejects.toMatchObject({ code: 'forbidden' })
    // Within the pattern, but not declared to be read-only.
    await expect(tools.call('get_and_restart', {}, never)).rejects.toMatchObject({ code: 'forbidden' })
    expect(called).toEqual([])
  })

  test('a name that is spelt out may be called though it is not declared to be read-only', async () => {
    const { tools, called } = await overHttp({ tools: ['get_and_restart'] })
    await tools.call('get_and_restart', {}, never)
    expect(called).toEqual(['get_and_restart'])
    await expect(tools.call('get_deploys', {}, never)).rejects.toMatchObject({ code: 'forbidden' })
  })

  test('an answer is cut at its limit between two characters, and a picture or a link is only named', async () => {
    const { tools } = await overHttp({ maxBytes: 1001 })
    const { text, truncated } = await tools.call('get_large', {}, never)
    expect([text, truncated]).toEqual(['é'.repeat(500), true])
    expect((await tools.call('get_picture', {}, never)).text).toBe(
      '[image image/png, 3 bytes: not shown]\n[a link: http://evil.example/]',
    )
  })

  test('an error of a tool is an answer', async () => {
    const { tools } = await overHttp()
    expect(await tools.call('get_error', {}, never)).toEqual({
      text: 'no such service',
      truncated: false,
      failed: true,
    })
  })

  test('so many calls a minute and no more', async () => {
    let now = 1_000_000
    const { tools, called } = await overHttp({ callsPerMinute: 2, clock: { ...systemClock, now: () => now } })
    await tools.call('get_deploys', {}, never)
    await tools.call('get_deploys', {}, never)
    await expect(tools.call('get_deploys', {}, never)).rejects.toMatchObject({ code: 'limited' })
    now += 60_001
    await tools.call('get_deploys', {}, never)
    expect(called).toHaveLength(3)
  })

  test('a hanging server does not hold whoever asks', async () => {
    const { tools } = await overHttp({ timeoutMs: 1500 })
    await expect(tools.call('get_stuck', {}, never)).rejects.toMatchObject({ code: 'deadline' })
  })

  test('a stop ends what is under way', async () => {
    const { tools } = await overHttp()
    const asked = tools.call('get_stuck', {}, never).catch((error: unknown) => error)
    await new Promise((resolve) => setTimeout(resolve, 300))
    await tools.stop()
    expect(String(await asked)).toContain('stopping')
  })
})
