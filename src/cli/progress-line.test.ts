import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ProgressLine } from './progress-line.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function lineTo(): { line: ProgressLine; written: string[] } {
  const written: string[] = []
  const out = { isTTY: false, write: (text: string) => written.push(text) }
  return { line: new ProgressLine(out as unknown as NodeJS.WriteStream), written }
}

const counts = { added: 0, changed: 0, unchanged: 1, removed: 0, failed: 0 }

test('that another process is waited for is told when it lasts, and not when it is over at once', () => {
  const { line, written } = lineTo()
  const tell = line.documents('docs')
  line.waiting('docs')()
  vi.advanceTimersByTime(500)
  tell({ done: 1, total: 1, passages: 0, counts })
  line.end()
  expect(written).toEqual([])
  line.documents('docs')
  line.waiting('docs')()
  vi.advanceTimersByTime(3_500)
  line.end()
  expect(written).toEqual(['docs: another process reads it into this collection; waiting for it\n'])
})
