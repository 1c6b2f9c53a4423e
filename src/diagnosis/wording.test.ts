import { describe, expect, it } from 'vitest'
import { plainNumber, sayList, sayValue, timeOfDay } from './wording.ts'

describe('wording', () => {
  it.each([
    [0.3141, 'ratio', '31.4 %'],
    [0, 'ratio', '0 %'],
    [0.0425, 's', '42.5 ms'],
    [3.2, 's', '3.2 s'],
    [600, 's', '10 minutes'],
    [250, 'ms', '250 ms'],
    [1.5e9, 'bytes', '1.5 GB'],
    [512, 'bytes', '512 bytes'],
    [7, '', '7'],
    [12.5, '/s', '12.5/s'],
    [0.8, 'cores', '0.8 cores'],
  ])('says %s %s as %s', (value, unit, said) => {
    expect(sayValue(value, unit)).toBe(said)
  })

  it('never says an exponent or a NaN', () => {
    expect(plainNumber(1e21)).not.toContain('e')
    expect(plainNumber(1e-9)).toBe('0')
    expect(plainNumber(Number.NaN)).toBe('unknown')
    expect(timeOfDay(Number.NaN)).toBe('an unknown time')
  })

  it('lists', () => {
    expect([sayList([]), sayList(['a']), sayList(['a', 'b', 'c'])]).toEqual(['', 'a', 'a, b and c'])
  })
})
