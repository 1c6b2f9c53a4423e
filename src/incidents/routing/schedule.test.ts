import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ScheduleConfig, teamsSchema } from '../../config/routing-schema.ts'
import { DAY_MS, momentAt, parseWall, wallOf } from '../../core/zoned-time.ts'
import { gapsIn, stretchesOf } from './coverage.ts'
import { type Override, shiftAt, whoIsOnCall } from './schedule.ts'

const scheduleOf = (timeZone: string, ...layers: object[]): ScheduleConfig => {
  const teams = teamsSchema.parse({ a: { schedules: { s: { timeZone, layers } } } })
  return teams['a']?.schedules['s'] as ScheduleConfig
}
const at = (timeZone: string, wall: string): number => momentAt(timeZone, parseWall(wall) ?? Number.NaN)
const personAt = (schedule: ScheduleConfig, atMs: number, overrides: readonly Override[] = []): string | null => {
  const now = whoIsOnCall(schedule, overrides, atMs)
  return now.kind === 'person' ? now.person : null
}
const override = (person: string, fromMs: number, toMs: number, createdAtMs = 0): Override => ({
  id: `ovr_${createdAtMs}`,
  person,
  fromMs,
  toMs,
  createdAtMs,
})

const ZONES = ['Europe/Berlin', 'America/New_York', 'UTC', 'Asia/Kolkata', 'Australia/Lord_Howe'] as const
const zone = fc.constantFrom(...ZONES)
const rotation = fc.oneof(
  fc.constantFrom('daily', 'weekly'),
  fc.record({ days: fc.integer({ min: 1, max: 20 }) }),
  fc.record({ hours: fc.integer({ min: 1, max: 100 }) }),
)
const handOver = fc.record({ hour: fc.integer({ min: 0, max: 23 }), minute: fc.constantFrom(0, 15, 30) })
const people = fc.integer({ min: 1, max: 5 }).map((n) => ['ada', 'bo', 'cy', 'di', 'ed'].slice(0, n))
const moment = fc.integer({ min: Date.UTC(2026, 0, 3), max: Date.UTC(2027, 5, 1) })
const two = (n: number): string => String(n).padStart(2, '0')

describe('a rotation without hours', () => {
  test('has exactly one person at every moment after it began, and nobody before', () => {
    fc.assert(
      fc.property(zone, rotation, handOver, people, moment, (timeZone, turns, { hour, minute }, names, atMs) => {
        const from = `2026-01-01T${two(hour)}:${two(minute)}`
        const [layer] = scheduleOf(timeZone, { people: names, from, rotation: turns }).layers
        if (!layer) throw new Error('no layer')
        const shift = shiftAt(layer, timeZone, atMs)
        expect(names).toContain(shift?.person)
        expect(shift?.fromMs).toBeLessThanOrEqual(atMs)
        expect(shift?.toMs).toBeGreaterThan(atMs)
        // The next one begins exactly where this one ends, and is the next person's.
        const end = shift?.toMs ?? 0
        expect(shiftAt(layer, timeZone, end)?.fromMs).toBe(end)
        expect(shiftAt(layer, timeZone, end - 1)?.person).toBe(shift?.person)
        expect(shiftAt(layer, timeZone, at(timeZone, from) - 1)).toBeUndefined()
      }),
      { numRuns: 200 },
    )
  })

  test.each(['Europe/Berlin', 'America/New_York'])('hands over at 09:00 of %s every day of the year', (timeZone) => {
    const schedule = scheduleOf(timeZone, { people: ['ada', 'bo'], from: '2026-01-01T09:00', rotation: 'daily' })
    for (let day = 0; day < 370; day++) {
      const nine = momentAt(timeZone, Date.UTC(2026, 0, 1 + day, 9))
      expect(personAt(schedule, nine)).toBe(day % 2 === 0 ? 'ada' : 'bo')
      if (day > 0) expect(personAt(schedule, nine - 1)).toBe(day % 2 === 1 ? 'ada' : 'bo')
    }
  })

  test('hands over once in the hour that comes twice, and at the jump in the one that is left out', () => {
    const schedule = scheduleOf('Europe/Berlin', {
      people: ['ada', 'bo'],
      from: '2026-03-28T02:30',
      rotation: 'daily',
    })
    // 29 March: 02:00 is 03:00. 02:30 never comes.
    const jump = Date.UTC(2026, 2, 29, 1)
    expect([personAt(schedule, jump - 1), personAt(schedule, jump)]).toEqual(['ada', 'bo'])
    // 25 October: 03:00 is 02:00 again, at 01:00 UTC. 02:30 comes at 00:30 and 01:30 UTC.
    const first = Date.UTC(2026, 9, 25, 0, 30)
    const after = personAt(schedule, first)
    expect(personAt(schedule, first - 1)).not.toBe(after)
    for (const minutes of [1, 29, 31, 59, 61, 120]) expect(personAt(schedule, first + minutes * 60_000)).toBe(after)
    const lengths = stretchesOf(schedule, [], Date.UTC(2026, 9, 23), Date.UTC(2026, 9, 28)).slice(1, -1)
    expect(lengths.map(({ fromMs, toMs }) => (toMs - fromMs) / 3_600_000)).toEqual([24, 24, 25, 24])
  })
})

describe('who is on call', () => {
  const day = scheduleOf(
    'America/New_York',
    { people: ['night'], from: '2026-01-01', rotation: 'weekly' },
    {
      people: ['day'],
      from: '2026-01-01',
      hours: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '09:00', to: '17:00' }],
    },
  )

  test('is of the last layer that counts, in its hours by the clock of the place, the end not included', () => {
    const of = (wall: string) => personAt(day, at('America/New_York', wall))
    // The Monday after summer time began, and the one before.
    for (const date of ['2026-03-02', '2026-03-09', '2026-11-02'])
      expect([of(`${date}T08:59`), of(`${date}T09:00`), of(`${date}T16:59`), of(`${date}T17:00`)]).toEqual([
        'night',
        'day',
        'day',
        'night',
      ])
    expect(of('2026-03-08T12:00')).toBe('night')
  })

  test('is whoever stands in, from the beginning to before the end; of two the one made last', () => {
    fc.assert(
      fc.property(moment, fc.integer({ min: 1, max: 10 * DAY_MS }), moment, (fromMs, length, atMs) => {
        const stands = override('sub', fromMs, fromMs + length, 1)
        const later = override('other', fromMs + length / 2, fromMs + length, 2)
        const inside = atMs >= fromMs && atMs < fromMs + length
        expect(personAt(day, atMs, [stands])).toBe(inside ? 'sub' : personAt(day, atMs))
        if (inside && atMs >= later.fromMs) expect(personAt(day, atMs, [stands, later])).toBe('other')
      }),
    )
    const stands = override('sub', 1000, 2000)
    const empty = scheduleOf('UTC', { people: ['ada'], from: '2026-01-01' })
    expect([999, 1000, 1999, 2000].map((ms) => personAt(empty, ms, [stands]))).toEqual([null, 'sub', 'sub', null])
  })

  test('ends with the layer', () => {
    const ending = scheduleOf('UTC', { people: ['ada'], from: '2026-01-01', until: '2026-02-01' })
    expect(personAt(ending, Date.UTC(2026, 1, 1) - 1)).toBe('ada')
    expect(whoIsOnCall(ending, [], Date.UTC(2026, 1, 1))).toMatchObject({ kind: 'gap' })
  })
})

describe('a stretch of time', () => {
  const nights = { people: ['ada', 'bo'], from: '2026-01-01T18:00', rotation: 'daily' }

  test('agrees with every single moment in it, and has no holes', () => {
    const schedule = scheduleOf(
      'Europe/Berlin',
      { ...nights, hours: [{ from: '18:00', to: '02:30' }] },
      {
        people: ['cy'],
        from: '2026-03-01',
        rotation: { hours: 7 },
        hours: [{ days: ['sun'], from: '02:15', to: '12:00' }],
      },
    )
    for (const [month, date] of [
      [2, 28],
      [9, 24],
    ] as const) {
      const [fromMs, toMs] = [Date.UTC(2026, month, date), Date.UTC(2026, month, date + 3)]
      const stands = [override('sub', fromMs + 5_000_000, fromMs + 9_000_000)]
      const stretches = stretchesOf(schedule, stands, fromMs, toMs)
      expect([stretches[0]?.fromMs, stretches.at(-1)?.toMs]).toEqual([fromMs, toMs])
      let i = 0
      for (let ms = fromMs; ms < toMs; ms += 15 * 60_000) {
        while ((stretches[i]?.toMs ?? toMs) <= ms) {
          expect(stretches[i + 1]?.fromMs).toBe(stretches[i]?.toMs)
          i++
        }
        expect(stretches[i]?.person).toBe(personAt(schedule, ms, stands))
      }
    }
  })

  test('tells its gaps, and has none where the rotation goes round the clock', () => {
    const whole = scheduleOf('Europe/Berlin', nights)
    const [fromMs, toMs] = [Date.UTC(2026, 9, 20), Date.UTC(2026, 9, 30)]
    expect(gapsIn(stretchesOf(whole, [], fromMs, toMs))).toEqual([])
    const some = scheduleOf('Europe/Berlin', { ...nights, hours: [{ from: '18:00', to: '08:00' }] })
    const gaps = gapsIn(stretchesOf(some, [], fromMs, toMs))
    expect(gaps).toHaveLength(10)
    for (const gap of gaps.slice(0, -1)) {
      expect((gap.toMs - gap.fromMs) / 3_600_000).toBe(10)
      expect(new Date(wallOf('Europe/Berlin', gap.fromMs)).getUTCHours()).toBe(8)
    }
  })
})
