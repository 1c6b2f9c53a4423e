import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkCommand, type CommandRequest, runCommand } from './command.ts'

const never = new AbortController().signal
const node = (script: string, more: Partial<CommandRequest> = {}): CommandRequest => ({
  kind: 'command',
  argv: [process.execPath, '-e', script],
  env: [],
  timeoutMs: 20_000,
  refusedExitCodes: [],
  key: 'apr_1',
  ...more,
})

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'command-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('a command', () => {
  test('gets its arguments as they are: no shell reads them', async () => {
    const script = 'console.log(JSON.stringify(process.argv.slice(1)))'
    const args = ['$(id)', '; rm -rf /', 'a b', '`x`', '*']
    const answer = await runCommand({ ...node(script), argv: [process.execPath, '-e', script, '--', ...args] }, never)
    expect(answer).toEqual({ kind: 'done', detail: `exit code 0: ${JSON.stringify(args)}` })
  })

  test('sees the variables that were declared, the key of its run, and nothing else of ours', async () => {
    process.env['DECLARED'] = 'yes'
    process.env['HIDDEN'] = 'secret'
    const script = 'console.log(process.env.DECLARED, process.env.HIDDEN, process.env.HOME, process.env.MIDWATCH_RUN)'
    expect(await runCommand(node(script, { env: ['DECLARED'] }), never)).toEqual({
      kind: 'done',
      detail: 'exit code 0: yes undefined undefined apr_1',
    })
  })

  test('runs in its folder', async () => {
    await runCommand(node("require('fs').writeFileSync('here', 'x')", { folder }), never)
    expect(readFileSync(join(folder, 'here'), 'utf8')).toBe('x')
  })

  test.each([
    [0, 'done'],
    [3, 'refused'],
    [1, 'unclear'],
    [137, 'unclear'],
  ])('that ends with exit code %i is %s', async (code, kind) => {
    expect(await runCommand(node(`process.exit(${code})`, { refusedExitCodes: [3] }), never)).toMatchObject({ kind })
  })

  test('that cannot be started did nothing', async () => {
    expect(await runCommand({ ...node(''), argv: [join(folder, 'nothing-here')] }, never)).toMatchObject({
      kind: 'unsent',
    })
  })

  test('whose time is over is ended with all that it started, and is unclear', async () => {
    const late = join(folder, 'late')
    const grandchild = `setTimeout(() => require('fs').writeFileSync(${JSON.stringify(late)}, 'x'), 1500); console.log('up')`
    const script = `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(grandchild)}], { stdio: 'inherit' }); setInterval(() => {}, 1000)`
    const answer = await runCommand(node(script, { timeoutMs: 700 }), never)
    expect(answer).toEqual({ kind: 'unclear', detail: 'it did not end within 0.7 s and was ended' })
    await wait(1200)
    expect(existsSync(late)).toBe(false)
  })

  test('that says without end is heard only at its beginning', async () => {
    const answer = await runCommand(node("process.stdout.write('x'.repeat(5e6))"), never)
    expect(answer.kind).toBe('done')
    expect(answer.detail.length).toBeLessThan(400)
  })
})

describe('the check of an earlier command', () => {
  test.each([
    [0, 'done'],
    [1, 'never'],
    [2, 'unclear'],
  ])('that ends with exit code %i says %s', async (code, kind) => {
    expect(await checkCommand(node(`process.exit(${code})`), never)).toMatchObject({ kind })
  })

  test('that a stop cuts short gives no answer, for the next start asks again', async () => {
    const stopping = new AbortController()
    const asked = checkCommand(node('setInterval(() => {}, 1000)'), stopping.signal)
    stopping.abort(new Error('Midwatch is stopping'))
    await expect(asked).rejects.toMatchObject({ code: 'unavailable' })
  })
})
