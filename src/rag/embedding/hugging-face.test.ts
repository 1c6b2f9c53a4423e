import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tempFolder } from '../../../test/temp.ts'
import { createLog } from '../../observe/log.ts'
import { openEmbedding } from './open.ts'
import { meanOf, writeTinyEncoder } from './testing/tiny-encoder.ts'

const patient = new AbortController().signal
const open = (path: string, prefixes: { queryPrefix?: string } = {}) =>
  openEmbedding(
    { provider: 'onnx', path, ...prefixes },
    {
      dataFolder: path,
      log: createLog({ level: 'silent' }),
      gatewayEmbedding: () => Promise.reject(new Error('not asked for')),
    },
  )

const near = (vector: Float32Array | undefined, expected: readonly number[]): void =>
  expected.forEach((x, i) => expect(vector?.[i]).toBeCloseTo(x, 5))

test('the mean leaves the padding out, and prefixes of the folder stand before the text', async () => {
  const folder = writeTinyEncoder(tempFolder(), {
    'config_sentence_transformers.json': { prompts: { query: 'query ', passage: '' } },
  })
  const model = await open(folder)
  try {
    const [one, two] = await model.embedPassages(['Disk', 'disk full disk full'], patient)
    near(one?.[0], meanOf('[CLS]', 'disk', '[SEP]'))
    near(two?.[0], meanOf('[CLS]', 'disk', 'full', 'disk', 'full', '[SEP]'))
    near(await model.embedQuery('disk', patient), meanOf('[CLS]', 'query', 'disk', '[SEP]'))
    expect(model.dimension).toBe(3)
    const [long] = await model.embedPassages(['disk full. '.repeat(20)], patient)
    expect(long?.length).toBeGreaterThanOrEqual(4)
  } finally {
    await model.stop()
  }
})

test('the first token is taken where the folder says so, and another setting is another model', async () => {
  const folder = writeTinyEncoder(tempFolder(), { '1_Pooling/config.json': { pooling_mode_cls_token: true } })
  const model = await open(folder)
  const other = await open(folder, { queryPrefix: 'query ' })
  await Promise.all([model.stop(), other.stop()])
  expect(model.id).not.toBe(other.id)
  const again = await open(folder)
  near(await again.embedQuery('disk', patient), meanOf('[CLS]'))
  await again.stop()
  expect(again.id).toBe(model.id)
})

test('a folder that cannot be followed is refused by what is wrong with it', async () => {
  await expect(open(join(tempFolder(), 'nowhere'))).rejects.toThrow('is not there')
  await expect(open(tempFolder())).rejects.toThrow('has none of model.onnx')
  const cases: [Record<string, unknown>, string][] = [
    [{ 'tokenizer.json': null }, 'has no tokenizer.json'],
    [{ 'onnx/model.onnx': new Uint8Array(9) }, 'is not an ONNX model'],
    [{ '1_Pooling/config.json': { pooling_mode_max_tokens: true } }, 'pools otherwise'],
    [{ 'modules.json': [{ type: 'sentence_transformers.models.Dense' }] }, 'models.Dense'],
    [{ 'config.json': [] }, 'cannot be read'],
  ]
  for (const [files, why] of cases) await expect(open(writeTinyEncoder(tempFolder(), files))).rejects.toThrow(why)
})
