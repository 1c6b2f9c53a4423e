import { describe, expect, it } from 'vitest'
import type { FaultKind } from '../core/fault-kinds.ts'
import { diagnose } from './diagnose.ts'
import { makeCase, type Scenario } from './testing/shop.ts'

const FAULTS: readonly (readonly [FaultKind, string, string?])[] = [
  ['cpu', 'recommendations'],
  ['memory_leak', 'cart'],
  ['slow_database', 'shop-db'],
  ['pool_exhausted', 'inventory'],
  ['bad_deploy', 'checkout'],
  ['bad_deploy', 'catalogue'],
  ['bad_config', 'payment'],
  ['down', 'inventory'],
  ['down', 'card-network'],
  ['slow_dependency', 'card-network'],
  ['queue_backlog', 'orders-queue'],
  ['disk_full', 'cart'],
  ['credential_expired', 'payment'],
  ['traffic_surge', 'storefront'],
  ['provider_failure', 'midwatch', 'model-provider'],
]

const named = (scenario: Scenario): string => {
  const { causes } = diagnose(makeCase(scenario))
  return causes[0] ? `${causes[0].service} ${causes[0].kind}` : 'nothing'
}

describe('diagnose', () => {
  for (const [kind, service, called = service] of FAULTS) {
    it(`names ${called} for ${kind}, whatever the seed and the load`, () => {
      const answers = [1, 2, 3, 4, 5, 6].map((seed) => named({ kind, service, seed, load: 0.5 + seed / 4 }))
      expect(answers).toEqual(answers.map(() => `${called} ${kind}`))
    })
  }

  it('abstains when alerts fire and nothing is wrong', () => {
    const answers = [1, 2, 3, 4, 5, 6].map((seed) => named({ kind: null, service: '', seed }))
    expect(answers).toEqual(answers.map(() => 'nothing'))
  })
})
