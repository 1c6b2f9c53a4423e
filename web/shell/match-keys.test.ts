import { expect, test } from 'vitest'
import { type Binding, matchKeys } from './match-keys.ts'

const binding = (keys: string): Binding => ({ keys, says: keys, run: () => undefined })
const approve = binding('a')
const incidents = binding('g i')

test('one key runs at once, the first of two waits, anything else means nothing', () => {
  expect(matchKeys(['a'], [approve, incidents])).toEqual({ kind: 'run', binding: approve })
  expect(matchKeys(['g'], [approve, incidents])).toEqual({ kind: 'wait' })
  expect(matchKeys(['g', 'i'], [approve, incidents])).toEqual({ kind: 'run', binding: incidents })
  expect(matchKeys(['g', 'a'], [approve, incidents])).toEqual({ kind: 'none' })
  expect(matchKeys(['x'], [approve, incidents])).toEqual({ kind: 'none' })
})

test('the newest binding of a key wins', () => {
  const newer = binding('a')
  expect(matchKeys(['a'], [approve, newer])).toEqual({ kind: 'run', binding: newer })
})
