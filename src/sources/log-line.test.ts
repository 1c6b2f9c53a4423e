import { describe, expect, test } from 'vitest'
import { guessLevel, readLevel } from './log-level.ts'
import { type LogFields, parseLine } from './log-line.ts'
import { leadingTime, readTime } from './log-time.ts'

const AT = Date.UTC(2026, 10, 23, 14, 5, 6, 789)

describe('times', () => {
  test.each([
    ['2026-11-23T14:05:06.789Z'],
    ['2026-11-23T15:05:06.789+01:00'],
    ['2026-11-23T15:05:06,789123+0100'],
    ['2026-11-23 14:05:06.789123456'],
    [AT],
    [AT / 1000],
    [AT * 1000],
    [AT * 1e6],
    [`${AT}`],
    [`${AT / 1000}`],
  ])('%j is read', (value) => {
    expect(readTime(value)).toBe(AT)
  })

  test.each([
    [''],
    ['soon'],
    ['12'],
    [12],
    [Number.NaN],
    [null],
    [true],
    [{}],
    ['2026-13-45T99:00:00Z'],
    [1e300],
    ['1e300'],
  ])('%j is none', (value) => {
    expect(readTime(value)).toBeUndefined()
  })

  test('a line of text may begin with one', () => {
    expect(leadingTime('[2026-11-23 14:05:06,789] ERROR no')).toBe(AT)
    expect(leadingTime('2026-11-23T15:05:06.789+01:00 no')).toBe(AT)
    expect(leadingTime('at 2026-11-23T14:05:06.789Z')).toBeUndefined()
  })
})

describe('levels', () => {
  test.each([
    [10, 'debug'],
    [20, 'debug'],
    [30, 'info'],
    [40, 'warn'],
    [50, 'error'],
    [60, 'fatal'],
    [0, 'fatal'],
    [3, 'error'],
    [4, 'warn'],
    [6, 'info'],
    [7, 'debug'],
    ['WARNING', 'warn'],
    [' Err ', 'error'],
    ['emerg', 'fatal'],
    ['notice', 'info'],
    ['40', 'warn'],
    ['loud', undefined],
    [null, undefined],
    [-1, undefined],
  ])('%j is %s', (value, level) => {
    expect(readLevel(value)).toBe(level)
  })

  test.each([
    ['TypeError: x is not a function', 'error'],
    ['connection failed', 'error'],
    ['terror and warnings', 'info'],
    ['warning: slow', 'warn'],
    ['panic: runtime', 'fatal'],
  ])('%j looks like %s', (text, level) => {
    expect(guessLevel(text)).toBe(level)
  })
})

describe('a line', () => {
  const fields: LogFields = {
    time: ['@timestamp', 'ts'],
    service: ['service.name', 'constructor'],
    level: ['log.level', 'level'],
    message: ['message'],
    requestId: ['trace.id'],
  }

  test('fields are found by their flat name and inside objects', () => {
    const flat = { '@timestamp': AT, 'service.name': 'cart', 'log.level': 'error', message: 'm', 'trace.id': 7 }
    const nested = { ts: AT, service: { name: 'cart' }, log: { level: 'error' }, message: 'm', trace: { id: '7' } }
    const expected = { at: AT, service: 'cart', level: 'error', message: 'm', requestId: '7', whole: true }
    expect(parseLine(JSON.stringify(flat), fields)).toEqual(expected)
    expect(parseLine(JSON.stringify(nested), fields)).toEqual(expected)
  })

  test('what is missing is unknown, and a line without a message is its own', () => {
    expect(parseLine('{"a":1}', fields)).toEqual({
      at: undefined,
      service: undefined,
      level: 'info',
      message: '{"a":1}',
      whole: true,
    })
    expect(parseLine('{"message":{"a":"error"}}', fields)).toMatchObject({ message: '{"a":"error"}', level: 'error' })
  })
})
