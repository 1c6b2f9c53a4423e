import { describe, expect, test } from 'vitest'
import { printPromql } from './promql.ts'

const byLabel = { kind: 'label', label: 'service' } as const
const either = { kind: 'either', label: 'app', fallback: 'job' } as const

describe('a query as PromQL', () => {
  test('of every kind', () => {
    const by = ['route', 'service', 'route']
    expect(printPromql({ metric: 'up', as: 'value' }, 60_000, byLabel)).toBe('sum by (service) (up)')
    expect(printPromql({ metric: 'a_total', as: 'rate', by }, 60_000, byLabel)).toBe(
      'sum by (service, route) (rate(a_total[1m]))',
    )
    expect(printPromql({ metric: 'd', as: 'mean' }, 15_000, byLabel)).toBe(
      'sum by (service) (rate(d_sum[15s])) / sum by (service) (rate(d_count[15s]))',
    )
    expect(printPromql({ metric: 'd', as: 'quantile', q: 0.95, by }, 1500, byLabel)).toBe(
      'histogram_quantile(0.95, sum by (service, le, route) (rate(d_bucket[1500ms])))',
    )
  })

  test('with conditions, escaped so that a value stays a value', () => {
    const where = { service: 'cart', path: 'a"} or up{x="\\\n' }
    expect(printPromql({ metric: 'up', as: 'value', where }, 1000, byLabel)).toBe(
      String.raw`sum by (service) (up{service="cart",path="a\"} or up{x=\"\\\n"})`,
    )
  })

  test('where some series name their service by another label', () => {
    expect(printPromql({ metric: 'a', as: 'rate', where: { service: 'x', zone: 'b' } }, 1000, either)).toBe(
      'sum by (app) (rate(a{app!="",app="x",zone="b"}[1s]) or ' +
        'label_replace(rate(a{app="",job="x",zone="b"}[1s]), "app", "$1", "job", "(.+)"))',
    )
  })
})
