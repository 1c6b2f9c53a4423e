import { expect, test } from 'vitest'
import { parseTargetFile, staticTarget } from './target.ts'

const read = (value: unknown) => {
  const result = parseTargetFile(JSON.stringify(value))
  if (!result.ok) throw new Error(result.reason)
  return result.targets.map(({ url, labels }) => ({ url, labels }))
}

test('a target file is read as Prometheus reads it', () => {
  expect(
    read([
      { targets: ['127.0.0.1:1', '127.0.0.1:2'], labels: { service: 'cart', zone: 'b' } },
      { targets: ['h:3'], labels: { job: 'legacy', __metrics_path__: '/m', __scheme__: 'https', __param_x: 'a b' } },
      { targets: ['[::1]:4'] },
    ]),
  ).toEqual([
    { url: 'http://127.0.0.1:1/metrics', labels: { service: 'cart', zone: 'b', instance: '127.0.0.1:1' } },
    { url: 'http://127.0.0.1:2/metrics', labels: { service: 'cart', zone: 'b', instance: '127.0.0.1:2' } },
    { url: 'https://h:3/m?x=a+b', labels: { job: 'legacy', service: 'legacy', instance: 'h:3' } },
    { url: 'http://[::1]:4/metrics', labels: { service: '[::1]:4', instance: '[::1]:4' } },
  ])
})

test.each(['', '{', '{}', '[1]', '[{"targets":"a"}]', '[{"targets":["a/b"]}]', '[{"targets":["a"],"labels":{"x":1}}]'])(
  'the file %j is refused with a reason',
  (text) => {
    expect(parseTargetFile(text)).toMatchObject({ ok: false, reason: expect.stringMatching(/.{5}/) as string })
  },
)

test('a target of the config has /metrics unless it says otherwise', () => {
  expect(staticTarget({ service: 'a', url: 'http://h:1' })).toMatchObject({
    url: 'http://h:1/metrics',
    labels: { service: 'a', instance: 'h:1' },
  })
  expect(staticTarget({ service: 'a', url: 'http://h:1/x?y=1' }).url).toBe('http://h:1/x?y=1')
})
