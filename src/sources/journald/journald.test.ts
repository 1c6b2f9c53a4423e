import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tempFolder } from '../../../test/temp.ts'
import { readEntry, unitOf } from './entry.ts'
import { createJournaldSource, type JournaldOptions } from './journald.ts'
import { journalRemote, writeJournal } from './testing/write-journal.ts'

const never = new AbortController().signal
const T = Date.UTC(2026, 10, 1)
const all = { fromMs: T, toMs: T + 60_000, limit: 100 }
const FIELDS: JournaldOptions['fields'] = { time: [], service: [], level: ['level'], message: ['msg'], requestId: [] }

describe.skipIf(journalRemote === undefined)('a journal', () => {
  let folder = ''
  let file = ''
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const source = (options: Partial<JournaldOptions> = {}) =>
    createJournaldSource({ files: [file], fields: FIELDS, ...options })
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'midwatch-journal-'))
    file = join(folder, 'all.journal')
    const at = (second: number, fields: Record<string, string | Uint8Array>) => ({ at: T + second * 1000, fields })
    writeJournal(file, [
      at(1, { _SYSTEMD_UNIT: 'cart.service', PRIORITY: '6', MESSAGE: 'ERROR cannot reach payment' }),
      at(2, {
        _SYSTEMD_UNIT: 'init.scope',
        UNIT: 'cart.service',
        PRIORITY: '4',
        MESSAGE: 'cart.service: Main process exited, code=killed, status=9/KILL',
      }),
      at(3, { _SYSTEMD_UNIT: 'evil.service', UNIT: 'cart.service', PRIORITY: '0', MESSAGE: 'not what it says it is' }),
      at(4, {
        SYSLOG_IDENTIFIER: 'kernel',
        _TRANSPORT: 'kernel',
        PRIORITY: '3',
        MESSAGE: 'Out of memory: Killed process 17',
      }),
      at(5, { _SYSTEMD_UNIT: 'pay@1.service', PRIORITY: '6', MESSAGE: '{"level":"error","msg":"declined"}' }),
      at(6, { _SYSTEMD_UNIT: 'cart.service', MESSAGE: Buffer.from([0x68, 0x69, 0xff, 0x0a]) }),
      at(7, { _SYSTEMD_UNIT: 'cart.service', MESSAGE: 'x'.repeat(20_000) }),
    ])
  })

  test('tells units as services, and what the service manager says of a unit as that unit, but no other who says so', async () => {
    const { lines, problems } = await source({ services: { 'pay@1.service': 'payment' } }).read(all, never)
    expect(problems).toBeUndefined()
    expect(
      lines.map(({ at, service, level, message }) => [(at - T) / 1000, service, level, message.slice(0, 40)]),
    ).toEqual([
      [1, 'cart', 'error', 'ERROR cannot reach payment'],
      [2, 'cart', 'warn', 'cart.service: Main process exited, code='],
      [3, 'evil', 'fatal', 'not what it says it is'],
      [4, 'kernel', 'error', 'Out of memory: Killed process 17'],
      [5, 'payment', 'error', 'declined'],
      [6, 'cart', 'info', 'hi\ufffd'],
      [7, 'cart', 'info', 'x'.repeat(40)],
    ])
  })

  test('is only read of the units that are allowed, also line by line', async () => {
    const one = source({ units: ['cart.service'] })
    const { lines } = await one.read(all, never)
    expect(lines.map(({ at }) => (at - T) / 1000)).toEqual([1, 2, 6, 7])
    expect(await one.read({ ...all, services: ['kernel'] }, never)).toEqual({ lines: [], truncated: false })
    const [, , evil] = (await source().read(all, never)).lines
    expect(await one.findLine(evil?.ref ?? '', never)).toBeUndefined()
    expect(await source().findLine(evil?.ref ?? '', never)).toEqual(evil)
  })

  test('names of services are no options and no patterns', async () => {
    for (const service of ['--file=/etc/passwd', '-h', '+', '*', 'c*', 'cart.service + _UID=0', '\n', ''])
      expect((await source().read({ ...all, services: [service] }, never)).lines).toEqual([])
    expect(await source().findLine('journald|--file=/etc/passwd', never)).toBeUndefined()
    expect(await source().findLine('journald|s=00;i=1', never)).toBeUndefined()
  })

  test('that is more than is read is told, and the newest are kept', async () => {
    const { lines, truncated, problems } = await source({ maxBytes: 15_000 }).read(all, never)
    expect([lines.at(-1)?.message[0], truncated, problems]).toEqual([
      'x',
      true,
      ['more than 15000 bytes: the newest were read'],
    ])
  })

  test('that is missing or torn is told, and what can be read of it counts', async () => {
    const gone = await source({ files: [join(tempFolder(), 'no.journal'), file] }).read(all, never)
    expect([gone.lines.length, gone.problems?.[0]]).toEqual([
      7,
      expect.stringMatching(/no\.journal cannot be read: ENOENT/),
    ])
    const torn = tempFolder()
    mkdirSync(join(torn, 'j'))
    writeFileSync(join(torn, 'j', 'bad.journal'), 'LPKSHHRH garbage')
    const answer = await source({ files: [], directory: join(torn, 'j') })
      .read(all, never)
      .catch((error: unknown) => error)
    expect(JSON.stringify(answer) + String(answer)).toMatch(/bad\.journal|No journal files|journalctl failed/)
  })

  test('one who no longer waits, or waits too long, ends the program', async () => {
    await expect(source({ timeoutMs: 0 }).read(all, never)).rejects.toThrow(/did not end within 0 ms/)
  })
})

test('lines that are no entries are none; of fields that come several times the first counts', () => {
  for (const text of ['', '{', 'null', '[]', '{"__CURSOR":7}', '{"__CURSOR":"c","__REALTIME_TIMESTAMP":"x"}'])
    expect(readEntry(text)).toBeUndefined()
  const entry = readEntry(
    '{"__CURSOR":"c","__REALTIME_TIMESTAMP":"17","MESSAGE":["a","b"],"PRIORITY":null,"_SYSTEMD_UNIT":[104,105]}',
  )
  expect(entry).toMatchObject({ message: 'a', priority: undefined, unit: 'hi', us: 17 })
  expect(entry && unitOf(entry)).toBe('hi')
})
