// What a folder says about its model, as Hugging Face and sentence-transformers write it: which file, how its result is
// pooled, how much it reads, what it wants before a question. What cannot be followed is refused by name, for vectors that
// are computed otherwise than the model was trained are worse than none.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { AppError } from '../../../core/errors.ts'

export interface ModelDirectory {
  readonly name: string
  readonly modelFile: string
  readonly tokenizer: object
  readonly tokenizerConfig: object
  readonly pooling: 'mean' | 'cls'
  readonly maxPieces: number
  readonly queryPrefix: string
  readonly passagePrefix: string
  /** What vectors depend on besides the model's file. */
  readonly settings: readonly string[]
}

const MODEL_FILES = [
  'model.onnx',
  'onnx/model.onnx',
  'model_quantized.onnx',
  'onnx/model_quantized.onnx',
  'onnx/model_int8.onnx',
  'onnx/model_uint8.onnx',
]
/** Models may read more, but one window must not take seconds. */
const MAX_PIECES = 512

const text = z.string()
const config = z.looseObject({
  max_position_embeddings: z.number().optional(),
  model_type: text.optional(),
})
const pooling = z.looseObject({
  pooling_mode_cls_token: z.boolean().default(false),
  pooling_mode_mean_tokens: z.boolean().default(false),
})
const modules = z.array(z.looseObject({ type: text }))
const sentenceConfig = z.looseObject({ max_seq_length: z.number().nullish() })
const prompts = z.looseObject({ prompts: z.record(text, text.nullable()).default({}) })
const tokenizerConfig = z.looseObject({ model_max_length: z.number().optional() })
/** Of sentence-transformers, in the order in which they are done. */
const KNOWN_MODULES = /\.(Transformer|Pooling|Normalize)$/

/** `path`: the folder, or the .onnx file in it. Throws AppError `unavailable`. */
export function readModelDirectory(path: string): ModelDirectory {
  if (!existsSync(path)) throw refused(path, 'is not there')
  const isFile = statSync(path).isFile()
  const beside = isFile ? dirname(path) : path
  const folder = isFile && !existsSync(join(beside, 'tokenizer.json')) ? dirname(beside) : beside
  const modelFile = isFile ? path : MODEL_FILES.map((name) => join(folder, name)).find((file) => existsSync(file))
  if (modelFile === undefined) throw refused(path, `has none of ${MODEL_FILES.join(', ')}`)
  const read = <T>(name: string, schema: z.ZodType<T>): T | undefined => readJson(folder, name, schema)

  const tokenizer = read('tokenizer.json', z.looseObject({ model: z.looseObject({}) }))
  if (!tokenizer) throw refused(path, 'has no tokenizer.json')
  const odd = read('modules.json', modules)?.find(({ type }) => !KNOWN_MODULES.test(type))
  if (odd) throw refused(path, `asks for a step that Midwatch does not do: ${odd.type}`)
  const about = read('config.json', config)
  const given = read('tokenizer_config.json', tokenizerConfig) ?? {}
  const pool = read('1_Pooling/config.json', pooling)
  if (pool && !pool.pooling_mode_cls_token && !pool.pooling_mode_mean_tokens) {
    throw refused(path, 'pools otherwise than by the mean or the first token, which Midwatch does not do')
  }
  const named = read('config_sentence_transformers.json', prompts)?.prompts ?? {}
  // RoBERTa counts places from 2.
  const places = (about?.max_position_embeddings ?? MAX_PIECES) - (/roberta/.test(about?.model_type ?? '') ? 2 : 0)
  const limits = [read('sentence_bert_config.json', sentenceConfig)?.max_seq_length, given.model_max_length, places]
  const maxPieces = Math.min(
    MAX_PIECES,
    ...limits.flatMap((limit) => (limit === undefined || limit === null ? [] : [limit])),
  )
  if (!(maxPieces >= 8)) throw refused(path, `reads ${maxPieces} tokens at a time, which is too little`)
  const result = {
    pooling: pool?.pooling_mode_cls_token ? ('cls' as const) : ('mean' as const),
    maxPieces,
    queryPrefix: named.query ?? '',
    passagePrefix: named.passage ?? named.document ?? '',
  }
  return {
    ...result,
    name: basename(folder),
    modelFile,
    tokenizer,
    tokenizerConfig: given,
    settings: [JSON.stringify(tokenizer), JSON.stringify(result)],
  }
}

function readJson<T>(folder: string, name: string, schema: z.ZodType<T>): T | undefined {
  const file = join(folder, name)
  if (!existsSync(file)) return undefined
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (error) {
    throw new AppError('unavailable', `${file} cannot be read. Fetch the model's files again.`, { cause: error })
  }
}

export const refused = (path: string, why: string): AppError =>
  new AppError(
    'unavailable',
    `The embedding model ${path} ${why}. Name a folder with an ONNX encoder as Hugging Face exports it ` +
      '(model.onnx, tokenizer.json, config.json), or use rag.embeddings: { provider: local }.',
  )
