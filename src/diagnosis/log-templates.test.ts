import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TemplateMiner } from './log-templates.ts'

const mine = (lines: readonly string[]) => {
  const miner = new TemplateMiner()
  const ids = lines.map((line) => miner.add(line))
  return { ids, texts: [...new Set(ids)].map((id) => miner.findTemplate(id)?.text) }
}

describe('TemplateMiner', () => {
  it('gives lines that differ in numbers, addresses and ids one template', () => {
    const { ids, texts } = mine([
      'served GET /carts/17 in 23ms for 10.0.0.7:4711 request 4f2a9c1e77',
      'served GET /carts/18 in 9ms for 10.0.0.9:80 request 0b77ee8812',
    ])
    expect(ids).toEqual([1, 1])
    expect(texts).toEqual(['served GET /carts/<*> in <*>ms for <*> request <*>'])
  })

  it('gives lines that say different things different templates', () => {
    expect(
      mine(['connection refused by payment', 'user signed in again', 'connection refused by payment']).ids,
    ).toEqual([1, 2, 1])
  })

  it('makes a template more general as words vary', () => {
    expect(mine(['user alice signed in from web', 'user bob signed in from web']).texts).toEqual([
      'user <*> signed in from web',
    ])
  })

  it('stays bounded however many kinds of line there are', () => {
    const miner = new TemplateMiner()
    let highest = 0
    for (let i = 0; i < 6000; i++)
      highest = Math.max(highest, miner.add(`w${'abcdefghij'[i % 10]}${i.toString(36)}x only${i.toString(36)}y here`))
    expect(highest).toBeLessThanOrEqual(4100)
  })

  it('takes any text', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (lines) => {
        const miner = new TemplateMiner()
        for (const line of lines) expect(miner.findTemplate(miner.add(line))).toBeDefined()
      }),
    )
  })
})
