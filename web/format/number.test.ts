import { expect, test } from 'vitest'
import { confidence, counted, measured, onAxis, percent, plain } from './number.ts'

test('numbers keep three significant digits and no exponent', () => {
  expect([0, 20, 3.456789, 0.25, 0.0123, 123.456, 1e-7].map(plain)).toEqual([
    '0',
    '20',
    '3.46',
    '0.25',
    '0.012',
    '123',
    '< 0.001',
  ])
  expect(plain(1_234_567)).toBe('1\u202f234\u202f567')
})

test('what is no number is said in words', () => {
  expect(plain(Number.NaN)).toBe('no number')
  expect(plain(Number.POSITIVE_INFINITY)).toBe('without end')
})

test('shares are percents, small ones with a digit', () => {
  expect([0.31, 0.004, 1, 0.0999, 0].map(percent)).toEqual(['31 %', '0.4 %', '100 %', '10 %', '0 %'])
})

test('a value is told in the unit that fits its size', () => {
  expect(measured(0.34, 's')).toBe('340 ms')
  expect(measured(2.5, 's')).toBe('2.5 s')
  expect(measured(1500, 'ms')).toBe('1.5 s')
  expect(measured(0.00012, 's')).toBe('120 µs')
  expect(measured(90_000, 's')).toBe('25 h')
  expect(measured(1.5 * 1024 ** 3, 'bytes')).toBe('1.5 GiB')
  expect(measured(0, 'bytes')).toBe('0 B')
  expect(measured(0.31, 'ratio')).toBe('31 %')
  expect(measured(31, '%')).toBe('31 %')
  expect(measured(12.3, '/s')).toBe('12.3/s')
  expect(measured(20, 'connections')).toBe('20 connections')
  expect(measured(20, '')).toBe('20')
})

test('beside an axis a unit stands only where it changes with the size', () => {
  expect(onAxis(20, 'connections')).toBe('20')
  expect(onAxis(12.5, '/s')).toBe('12.5')
  expect(onAxis(0.25, 's')).toBe('250 ms')
})

test('confidence has two digits, and one of a thing is singular', () => {
  expect(confidence(0.9)).toBe('0.90')
  expect([1, 23].map((n) => counted(n, 'alert'))).toEqual(['1 alert', '23 alerts'])
})
