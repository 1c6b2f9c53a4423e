import { describe, expect, test } from 'vitest'
import { fillAnnotation } from './annotation.ts'
import { ALERT_RULES } from './rules.ts'

const fill = (template: string, value = 0.1234567) => fillAnnotation(template, { service: 'cart' }, value)

describe('an annotation', () => {
  test('carries labels and values as Prometheus writes them', () => {
    expect(fill('{{ $labels.service }} fails {{ $value | humanizePercentage }}')).toBe('cart fails 12.35%')
    expect(fill('{{ $value | humanizeDuration }}', 0.25)).toBe('250ms')
    expect(fill('{{ $value | humanizeDuration }}', 12.3456)).toBe('12.35s')
    expect(fill('{{ $value | humanizeDuration }}', 3725)).toBe('1h 2m 5s')
    expect(fill('{{ $value | humanize }}', 1234)).toBe('1.234k')
    expect(fill('{{ $value | humanize1024 }}B', 3 * 1024 * 1024)).toBe('3MiB')
  })

  test('shows nothing for a label that is not there', () => {
    expect(fill('[{{ $labels.route }}]')).toBe('[]')
  })

  test('is refused when it has a placeholder of another kind', () => {
    expect(() => fill('{{ query "up" }}')).toThrow(/not known/)
  })

  test.each(ALERT_RULES)('of $name can be filled', ({ annotations }) => {
    for (const text of Object.values(annotations)) expect(() => fill(text)).not.toThrow()
  })
})
