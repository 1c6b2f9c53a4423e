import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tempFolder } from '../../test/temp.ts'
import { systemClock } from '../core/clock.ts'
import { LiveConfig, type ReloadResult } from './live.ts'
import { loadConfig } from './load.ts'
import type { Config } from './schema.ts'

const BASE = `
providers: { main: { kind: openai, baseUrl: "http://127.0.0.1:1/v1" } }
models: { fast: { targets: [{ provider: main, model: a }] } }
agent: { model: fast }
`

function begin(text = BASE, apply?: (config: Config) => void) {
  const file = join(tempFolder(), 'midwatch.yaml')
  const write = (next: string) => writeFileSync(file, next)
  write(text)
  const read = () => loadConfig(file, {})
  const taken: Config[] = []
  const results: ReloadResult[] = []
  const live = new LiveConfig({
    file,
    config: read(),
    read,
    apply: (config) => {
      apply?.(config)
      taken.push(config)
    },
    onResult: (result) => results.push(result),
    clock: systemClock,
  })
  return { live, write, taken, results, file }
}

test('a change of models, providers, limits, overload and privacy is taken, and only what changed is named', () => {
  const { live, write, taken } = begin()
  write(BASE.replace('model: a', 'model: b').concat('limits: { requestsPerMinute: 5 }\n'))
  expect(live.reload()).toEqual({ kind: 'taken', changed: ['models', 'limits'], needRestart: [] })
  expect(taken).toHaveLength(1)
  expect(taken[0]?.models['fast']?.targets[0]?.model).toBe('b')
  expect(live.state).toMatchObject({ refused: null, needRestart: [] })
})

test('a key is a change too, although it prints as nothing', () => {
  const withKey = (key: string) => BASE.replace('/v1" }', `/v1", apiKey: ${key} }`)
  const { live, write } = begin(withKey('one'))
  write(withKey('two'))
  expect(live.reload()).toMatchObject({ changed: ['providers'] })
  write(withKey('two').replace('kind: openai, ', '').replace('apiKey: two', 'apiKey: two, kind: openai'))
  expect(live.reload()).toMatchObject({ changed: [] })
})

test('a wrong file is refused whole, with all that is wrong, and is forgotten once it is right again', () => {
  const { live, write, taken, results } = begin()
  write(BASE.replace('model: a', 'model: b, wieght: 2').concat('server: { port: 99999 }\n'))
  expect(live.reload()).toEqual({
    kind: 'refused',
    problems: [expect.stringMatching(/server\.port/), expect.stringMatching(/wieght is not a known key/)],
  })
  expect(taken).toEqual([])
  expect(live.state.refused?.problems).toHaveLength(2)
  write(BASE)
  expect(live.reload()).toMatchObject({ kind: 'taken', changed: [] })
  expect(live.state.refused).toBeNull()
  expect(results.map(({ kind }) => kind)).toEqual(['refused', 'taken'])
})

test('what needs a restart is named as long as the file says it, and keeps its value', () => {
  const { live, write, taken, file } = begin()
  write(
    BASE.concat('server: { port: 1 }\nlimits: { onRedisLoss: local }\ntracing: { otlpUrl: "http://127.0.0.1:4318" }\n'),
  )
  expect(live.reload()).toMatchObject({
    needRestart: ['server.port', 'tracing.otlpUrl', 'limits.onRedisLoss'],
  })
  expect(taken[0]?.server.port).toBe(4747)
  expect(taken[0]?.tracing.otlpUrl).toBeUndefined()
  write(BASE)
  live.reload()
  expect(live.state).toMatchObject({ file, needRestart: [] })
})

test('a change that what stays cannot live with is refused, and says why', () => {
  const { live, write, taken } = begin()
  // By itself it is right; but the agent that runs goes on asking for `fast`.
  write(BASE.replaceAll('fast', 'slow'))
  expect(live.reload()).toEqual({
    kind: 'refused',
    problems: [expect.stringMatching(/^agent\.model: no model is called fast.*until Midwatch is started again\)$/)],
  })
  expect(taken).toEqual([])
})

test('what cannot be put in force is refused like a wrong file', () => {
  const { live, write } = begin(BASE, () => {
    throw new Error('no such model file')
  })
  write(BASE.replace('model: a', 'model: b'))
  expect(live.reload()).toEqual({ kind: 'refused', problems: ['no such model file'] })
  // And tried again, for it is still not in force.
  expect(live.reload()).toMatchObject({ kind: 'refused' })
})
