import { expect, test } from 'vitest'
import { completeAlert } from './incoming-alert.ts'

const many = (last: string) =>
  Object.fromEntries([...Array.from({ length: 250 }, (_, i) => [`l${i}`, 'v'] as const), ['last', last] as const])

test('an alert with more labels than are kept is told from others by all of them, and keeps its name and service', () => {
  const [a, b] = ['a', 'b'].map((last) =>
    completeAlert({ name: 'Disk full', service: 'cart', status: 'firing', labels: many(last) }, 0),
  )
  expect(a?.identity).not.toBe(b?.identity)
  expect(a?.fingerprint).not.toBe(b?.fingerprint)
  expect(Object.keys(a?.labels ?? {})).toHaveLength(200)
  expect(a?.labels).toMatchObject({ alertname: 'Disk full', service: 'cart' })
})
