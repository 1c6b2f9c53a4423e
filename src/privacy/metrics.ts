// How much was found, by type. The labels are our seven types.
import { Counter } from 'prom-client'
import type { Metrics } from '../observe/metrics.ts'
import type { Finding } from './guard.ts'

export type CountFindings = (found: readonly Finding[]) => void

export function createPrivacyMetrics(registry: Metrics): CountFindings {
  const counter = new Counter({
    name: 'midwatch_pii_found_total',
    help: 'Personal data found in requests, by type, whatever was done with it.',
    labelNames: ['type'],
    registers: [registry],
  })
  return (found) => {
    for (const { type } of found) counter.inc({ type })
  }
}
