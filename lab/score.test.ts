import { describe, expect, test } from 'vitest'
import { type DrillRound, foundAll, makeRow, median, renderScore, renderTable } from './score.ts'

const facts = { seed: 1, confidence: 0.9, secondsToDiagnosis: 30, alerts: 12, incidents: 1 } as const
const cpu = { service: 'cart', kind: 'cpu' } as const

const right: DrillRound = {
  row: makeRow({ ...facts, fault: 'cart-cpu', injected: cpu, named: cpu }),
  found: true,
  mended: true,
}
const wrongKind: DrillRound = {
  row: makeRow({ ...facts, fault: 'cart-cpu', injected: cpu, named: { service: 'cart', kind: 'down' } }),
  found: true,
  mended: false,
}
const abstained: DrillRound = {
  row: makeRow({ ...facts, fault: 'cart-cpu', injected: cpu, named: null, confidence: null }),
  found: true,
  mended: null,
}
const missed: DrillRound = {
  row: makeRow({
    ...facts,
    fault: 'cart-cpu',
    injected: cpu,
    named: null,
    confidence: null,
    secondsToDiagnosis: null,
    alerts: 0,
    incidents: 0,
  }),
  found: false,
  mended: null,
}
const quiet: DrillRound = {
  row: makeRow({
    fault: 'none',
    seed: 1,
    injected: null,
    named: null,
    confidence: null,
    secondsToDiagnosis: null,
    alerts: 0,
    incidents: 0,
  }),
  found: true,
  mended: null,
}

describe('a drill', () => {
  test('counts a cause as right only where place and kind are what was injected', () => {
    expect(right.row).toMatchObject({ serviceCorrect: true, kindCorrect: true })
    expect(wrongKind.row).toMatchObject({ serviceCorrect: true, kindCorrect: false })
    expect(abstained.row).toMatchObject({ serviceCorrect: false, kindCorrect: false })
  })

  test('counts silence as right where nothing was broken, and a name as wrong', () => {
    expect(quiet.row).toMatchObject({ serviceCorrect: true, kindCorrect: true })
    const alarm = makeRow({ ...facts, fault: 'none', injected: null, named: cpu })
    expect(alarm).toMatchObject({ serviceCorrect: false, kindCorrect: false })
  })

  test('has failed when one of its rounds has', () => {
    expect(foundAll([right, wrongKind, abstained, quiet])).toBe(true)
    expect(foundAll([right, missed])).toBe(false)
  })

  test('prints a row for every round and a line that sums up', () => {
    const rounds = [right, wrongKind, abstained, missed, quiet]
    const [head, ...lines] = renderTable(rounds).split('\n')
    expect(head).toMatch(/^injected +named +right +conf +s +alerts +inc +mended$/)
    expect(lines).toHaveLength(rounds.length)
    expect(lines[1]).toMatch(/^cart cpu +cart down +place +0\.90 +30 +12 +1 +no$/)
    expect(lines[3]).toContain('no incident')
    expect(renderScore(rounds)).toBe(
      'Service right 3 of 5, kind right 2 of 5, median 30 s to the diagnosis, 1 confidently wrong, 36 alerts folded into 3 incidents, 1 of 2 approved fixes mended',
    )
  })
})

test('the median of an even number is between the two in the middle', () => {
  expect(median([9, 1, 4, 2])).toBe(3)
  expect(median([5])).toBe(5)
})
