import { describe, expect, it } from 'vitest'
import type { MetricType } from '../core/telemetry.ts'
import { planQueries } from './signals.ts'

const metric = (name: string, type: MetricType, labels: readonly string[] = []) => ({ name, type, help: '', labels })

describe('planQueries', () => {
  it('asks counters for rates by how calls ended and whom they went to', () => {
    expect(
      planQueries([metric('http_client_requests_total', 'counter', ['instance', 'peer', 'status', 'user'])]),
    ).toEqual([{ metric: 'http_client_requests_total', as: 'rate', by: ['peer', 'status'] }])
  })

  it('asks histograms for mean and 95th percentile, and for the count where they know how calls ended', () => {
    const queries = planQueries([metric('http_server_requests_seconds', 'histogram', ['uri', 'status'])])
    expect(queries).toEqual([
      { metric: 'http_server_requests_seconds', as: 'mean', by: [] },
      { metric: 'http_server_requests_seconds', as: 'quantile', q: 0.95, by: [] },
      { metric: 'http_server_requests_seconds_count', as: 'rate', by: ['status'] },
    ])
  })

  it('never adds up what makes no sense added up', () => {
    const [query] = planQueries([metric('credential_expiry_timestamp_seconds', 'gauge', ['credential', 'instance'])])
    expect(query?.by).toEqual(['credential', 'instance'])
    const [pool] = planQueries([metric('db_pool_connections', 'gauge', ['state', 'instance'])])
    expect(pool?.by).toEqual(['state'])
  })

  it("leaves out a runtime's inner life and bookkeeping", () => {
    const noise = [
      'go_gc_duration_seconds',
      'nodejs_version_info',
      'build_info',
      'requests_created',
      'scrape_duration_seconds',
    ]
    expect(planQueries(noise.map((name) => metric(name, 'gauge')))).toEqual([])
  })

  it('asks a bounded number of questions, what users feel first', () => {
    const many = Array.from({ length: 3000 }, (_, i) => metric(`thing_${i}`, 'gauge'))
    const queries = planQueries([
      ...many,
      metric('up', 'gauge', ['instance']),
      metric('http_requests_total', 'counter', ['code']),
    ])
    expect(queries.length).toBe(160)
    expect(queries.slice(0, 2).map((query) => query.metric)).toEqual(['up', 'http_requests_total'])
  })

  it('does not depend on the order of the catalogue', () => {
    const catalogue = [metric('b_total', 'counter'), metric('a_total', 'counter'), metric('up', 'gauge')]
    expect(planQueries([...catalogue].reverse())).toEqual(planQueries(catalogue))
  })
})
