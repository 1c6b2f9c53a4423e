// What every LogSource promises, run against each of them on the same lines.
import { describe, expect, test } from 'vitest'
import type { LogLevel, LogLine, LogQuery, LogSource } from '../core/telemetry.ts'

export interface WrittenLine {
  readonly at: number
  readonly service: string
  readonly level: LogLevel
  readonly message: string
  readonly requestId?: string
}

const START = Date.UTC(2026, 10, 1)
const never = new AbortController().signal
const MANY = 6000
const BURST = 40

/** Services with names that a query language could take for something else. */
const ODD = ['a"b', 'c.d|e', 'f\\g', "h'i{j}"]
const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'fatal']

const line = (second: number, service: string, message: string, level: LogLevel = 'info'): WrittenLine => ({
  at: START + second * 1000,
  service,
  level,
  message,
})

/** What a subject has to hold before the suite: about 6,100 lines of an hour and a half. */
export const LOG_SHOP: readonly WrittenLine[] = [
  ...LEVELS.map((level, i) => line(i, 'levels', `it is ${level}ish`, level)),
  { ...line(10, 'cart', 'card refused by payment', 'error'), requestId: 'r-17' },
  line(11.123, 'payment', 'no money'),
  ...ODD.map((service, i) => line(20 + i, service, `from ${i}`)),
  // Many of one moment, around which a page of any size may end.
  ...Array.from({ length: BURST }, (_, i) => line(30, 'burst', `burst ${i}`)),
  ...Array.from({ length: MANY }, (_, i) => line(100 + Math.floor(i / 3), 'many', `many ${i}`)),
]

export function logSourceContract(name: string, subject: () => LogSource): void {
  const all: LogQuery = { fromMs: START, toMs: START + 5400_000, limit: 10_000 }
  const read = (query: Partial<LogQuery> = {}, signal = never) => subject().read({ ...all, ...query }, signal)
  const messages = async (query: Partial<LogQuery>) => (await read(query)).lines.map(({ message }) => message)
  const sorted = (lines: readonly string[]) => [...lines].sort()

  describe(`a log source: ${name}`, () => {
    test('lines come in order of time with what they tell', async () => {
      const { lines, truncated, problems } = await read({ services: ['cart', 'payment'] })
      expect(truncated).toBe(false)
      expect(problems).toBeUndefined()
      expect(lines.map((one) => ({ ...one, ref: undefined }))).toEqual([
        {
          at: START + 10_000,
          service: 'cart',
          level: 'error',
          message: 'card refused by payment',
          requestId: 'r-17',
          ref: undefined,
        },
        { at: START + 11_123, service: 'payment', level: 'info', message: 'no money', ref: undefined },
      ])
    })

    test('a window holds both of its ends, and nothing beside them', async () => {
      const window = { fromMs: START + 1000, toMs: START + 3000 }
      expect(await messages(window)).toEqual(['it is infoish', 'it is warnish', 'it is errorish'])
      expect(await messages({ fromMs: START + 11_124, toMs: START + 19_999 })).toEqual([])
    })

    test('a level leaves out what is below it', async () => {
      expect(await messages({ services: ['levels'], minLevel: 'error' })).toEqual(['it is errorish', 'it is fatalish'])
      expect(await messages({ services: ['levels'], minLevel: 'debug' })).toHaveLength(5)
    })

    test('services are asked for by their exact names, however odd', async () => {
      for (const [i, service] of ODD.entries()) expect(await messages({ services: [service] })).toEqual([`from ${i}`])
      expect(await messages({ services: ODD })).toHaveLength(ODD.length)
      expect(await messages({ services: ['car', 'art', 'cart.*', '.+'] })).toEqual([])
    })

    test('all lines of a long stretch are there once, also those of one moment', async () => {
      const { lines, truncated } = await read()
      expect(truncated).toBe(false)
      expect(sorted(lines.map(({ message }) => message))).toEqual(sorted(LOG_SHOP.map(({ message }) => message)))
      expect(new Set(lines.map(({ ref }) => ref)).size).toBe(LOG_SHOP.length)
      expect(lines.every(({ at }, i) => at >= (lines[i - 1]?.at ?? 0))).toBe(true)
    })

    test('the limit keeps the newest and says so', async () => {
      const { lines, truncated } = await read({ services: ['many'], limit: 30 })
      expect(truncated).toBe(true)
      expect(sorted(lines.map(({ message }) => message))).toEqual(
        sorted(Array.from({ length: 30 }, (_, i) => `many ${MANY - 30 + i}`)),
      )
      expect((await read({ services: ['burst'], limit: BURST })).truncated).toBe(false)
      expect((await read({ services: ['burst'], limit: BURST - 1 })).truncated).toBe(true)
    })

    test('a line is found again by its reference, and is the same', async () => {
      const { lines } = await read({ toMs: START + 30_000 })
      const some: LogLine[] = [0, 5, 8, 11, 30].flatMap((i) => lines[i] ?? [])
      expect(some).toHaveLength(5)
      for (const one of some) expect(await subject().findLine(one.ref, never)).toEqual(one)
    })

    test('a reference to nothing, or of another source, finds nothing', async () => {
      const [one] = (await read({ services: ['cart'] })).lines
      const refs = ['', 'app.log:17:0123456789ab', `${one?.ref}-0`, `loki|cart|17|0123456789ab`, 'elasticsearch|x|y']
      for (const ref of refs) expect(await subject().findLine(ref, never)).toBeUndefined()
    })

    test('whoever stops waiting ends it', async () => {
      await expect(read({}, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
    })
  })
}
