import { afterAll, beforeAll, expect, test } from 'vitest'
import { report as reportSchema, type Report } from '../report.ts'
import { nearestClaims } from './nearest-claims.ts'
import { makeWorld, type World } from './testing/world.ts'

let world: World
let report: Report
beforeAll(async () => {
  world = await makeWorld()
  await world.work(world.start())
  const row = await world.db.selectFrom('incidents').select('report').executeTakeFirstOrThrow()
  report = reportSchema.parse(JSON.parse(row.report ?? 'null'))
})
afterAll(() => world.close())

test('an answer is made of claims of the report alone, each with its reference', () => {
  const { answer, claims } = nearestClaims(report, 'Why is the connection pool of inventory full?')
  expect(claims[0]?.claim).toMatch(/pool|connection/)
  const known = report.causes.flatMap(({ evidence, against }) => [...evidence, ...against])
  for (const { claim, ref } of claims) {
    expect(known.find((one) => one.claim === claim)?.ref).toEqual(ref)
    expect(answer).toContain(claim.replace(/\.$/, ''))
  }
})

test('what the evidence does not speak of is said to be unknown', () => {
  expect(nearestClaims(report, 'zebra giraffes?')).toEqual({
    answer: 'Nothing in the evidence of this incident speaks of that.',
    claims: [],
  })
})
