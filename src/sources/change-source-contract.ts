// What every ChangeSource promises, run against each of them on the same changes.
import { describe, expect, test } from 'vitest'
import type { ChangeSource } from '../core/telemetry.ts'

export interface WrittenChange {
  readonly at: number
  readonly author: string
  readonly summary: string
}

const START = Date.UTC(2026, 10, 1)
const never = new AbortController().signal

/** What a subject has to hold for the service `checkout`: 120 changes, a minute apart. */
export const CHANGE_SHOP: readonly WrittenChange[] = Array.from({ length: 120 }, (_, i) => ({
  at: START + i * 60_000,
  author: i % 2 === 0 ? 'Ada L.' : 'böb',
  summary: `change ${i}: "quoted", $(echo no) \u{1F680}`,
}))

export function changeSourceContract(name: string, subject: () => ChangeSource): void {
  const summariesOf = async (from: number, to: number) => {
    const changes = await subject().read({ fromMs: START + from * 60_000, toMs: START + to * 60_000 }, never)
    return changes.map(({ summary }) => /change (\d+)/.exec(summary)?.[1])
  }

  describe(`a source of changes: ${name}`, () => {
    test('a change tells when, whose, what and who', async () => {
      const [change] = await subject().read({ fromMs: START + 60_000, toMs: START + 60_000 }, never)
      expect(change).toMatchObject({ at: START + 60_000, service: 'checkout', author: 'böb' })
      expect(change?.summary).toContain(CHANGE_SHOP[1]?.summary)
      expect(change?.to).toMatch(/^\S+$/)
    })

    test('a window holds both of its ends, and nothing beside them, in order of time', async () => {
      expect(await summariesOf(3, 6)).toEqual(['3', '4', '5', '6'])
      expect(await summariesOf(6.1, 6.9)).toEqual([])
      expect(await summariesOf(-10, -1)).toEqual([])
      expect(await summariesOf(200, 300)).toEqual([])
    })

    test('all of a long window are there, however many the source gives at once', async () => {
      expect(await summariesOf(0, 1000)).toEqual(CHANGE_SHOP.map((_, i) => String(i)))
    })

    test('the same change has the same id each time, and no other has it', async () => {
      const ids = async (to: number) =>
        (await subject().read({ fromMs: START, toMs: START + to * 60_000 }, never)).map(({ id }) => id)
      const all = await ids(1000)
      expect(new Set(all).size).toBe(CHANGE_SHOP.length)
      expect(all.slice(0, 10)).toEqual(await ids(9))
    })

    test('whoever stops waiting ends it', async () => {
      const stopped = AbortSignal.abort(new Error('enough'))
      await expect(subject().read({ fromMs: START, toMs: START }, stopped)).rejects.toThrow('enough')
    })
  })
}
