import { expect, test } from 'vitest'
import type { LessonView } from '../incidents/lessons/view.ts'
import { renderLessons } from './lessons.ts'

const lesson = (kind: LessonView['kind'], by: string | null): LessonView => ({
  id: `${kind}-7`,
  kind,
  at: Date.UTC(2026, 10, 26, 3),
  by,
  incident: null,
  says: 'It was so.',
  effect: 'None.',
  takeBack: { command: `midwatch lessons forget ${kind}-7`, scope: 'admin', final: kind === 'fix' },
})

test('each lesson is told with its teacher: a person, a fix, or the runs of an action', () => {
  const lessons = [lesson('diagnosis', 'Ada'), lesson('fix', null), lesson('action', null)]
  const [person, fix, action, more] = renderLessons({ lessons, cutShort: true }).split('\n\n')
  expect(person).toMatch(/^diagnosis-7 {2}2026-11-26 03:00 UTC {2}Ada\n/)
  expect(fix).toMatch(/UTC {2}by its fix\n[^]*\(for good\)$/)
  expect(action).toMatch(/UTC {2}by its runs\n/)
  expect(more).toBe('Older ones are not shown.')
})
