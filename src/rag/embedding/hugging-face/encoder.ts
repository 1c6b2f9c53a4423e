// An encoder of a user's own folder: its tokenizer, its pooling, its prefixes.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { Tokenizer } from '@huggingface/tokenizers'
import { type Encoder, openSession, type TextKind, toUnitLength } from '../encoder.ts'
import type { ThreadTask } from '../protocol.ts'
import { type ModelDirectory, readModelDirectory, refused } from './directory.ts'

const INPUTS: ReadonlySet<string> = new Set(['input_ids', 'attention_mask', 'token_type_ids'])
/** The tokenizer is slow on words without an end, and no word has so many letters. */
const MAX_WORD = 200

/** Throws AppError `unavailable`. */
export async function openHuggingFace(task: ThreadTask & { kind: 'directory' }): Promise<Encoder> {
  const directory = readModelDirectory(task.path)
  const prefixes = {
    query: task.queryPrefix ?? directory.queryPrefix,
    passage: task.passagePrefix ?? directory.passagePrefix,
  }
  const id = `onnx:${directory.name}@${await fingerprint(directory, [prefixes.query, prefixes.passage])}`
  const { session, ort } = await openSession(directory.modelFile, task.threads)
  const unknown = session.inputNames.find((input) => !INPUTS.has(input))
  if (unknown !== undefined) throw refused(task.path, `wants the input ${unknown}, which a text encoder does not have`)

  const tokenizer = new Tokenizer(directory.tokenizer, directory.tokenizerConfig)
  const cut = (text: string): number[] =>
    tokenizer.encode(text.replace(LONG_WORD, '$& ').toWellFormed(), { add_special_tokens: false }).ids
  const { before, after } = marksOf(tokenizer)
  const frames = {
    query: [...before, ...cut(prefixes.query)],
    passage: [...before, ...cut(prefixes.passage)],
  } satisfies Record<TextKind, number[]>

  const run = async (rows: readonly (readonly number[])[]): Promise<Float32Array[]> => {
    const width = Math.max(1, ...rows.map((row) => row.length))
    const ids = new BigInt64Array(rows.length * width)
    const mask = new BigInt64Array(rows.length * width)
    rows.forEach((row, r) => {
      row.forEach((piece, i) => {
        ids[r * width + i] = BigInt(piece)
        mask[r * width + i] = 1n
      })
    })
    const shape = [rows.length, width]
    const given = { input_ids: ids, attention_mask: mask, token_type_ids: new BigInt64Array(rows.length * width) }
    const feeds = Object.fromEntries(
      Object.entries(given)
        .filter(([name]) => session.inputNames.includes(name))
        .map(([name, values]) => [name, new ort.Tensor('int64', values, shape)]),
    )
    const output = ['sentence_embedding', 'last_hidden_state', 'token_embeddings'].find((name) =>
      session.outputNames.includes(name),
    )
    const name = output ?? session.outputNames[0] ?? ''
    const result = (await session.run(feeds, [name]))[name]
    const data = result?.data
    const dims = result?.dims ?? []
    if (!(data instanceof Float32Array) || dims.length < 2 || dims.length > 3 || dims[0] !== rows.length) {
      throw refused(
        task.path,
        `gives ${result?.type ?? 'nothing'} of the shape [${dims.join(', ')}], which is no embedding`,
      )
    }
    const size = dims.at(-1) ?? 0
    if (dims.length === 2) return rows.map((_, r) => toUnitLength(data.slice(r * size, (r + 1) * size)))
    return rows.map((row, r) => {
      const from = r * width * size
      if (directory.pooling === 'cls') return toUnitLength(data.slice(from, from + size))
      const sum = new Float32Array(size)
      for (let i = 0; i < row.length; i++)
        for (let d = 0; d < size; d++) sum[d] = (sum[d] ?? 0) + (data[from + i * size + d] ?? 0)
      return toUnitLength(sum)
    })
  }

  const encode: Encoder['encode'] = (rows, kind) => run(rows.map((row) => [...frames[kind], ...row, ...after]))
  const reading = (kind: TextKind) => {
    const maxPieces = directory.maxPieces - frames[kind].length - after.length
    if (maxPieces < 4) throw refused(task.path, `has no room for a text behind its ${kind} prefix`)
    // Such models are trained on whole paragraphs: as many sentences as they read.
    return { cut, maxPieces, fewestPieces: maxPieces }
  }
  reading('query')
  reading('passage')
  // A folder that does not fit together is found out now, and not in the midst of an ingest.
  const [probe] = await encode([cut('probe')], 'query')
  return { id, dimension: probe?.length ?? 0, reading, encode }
}

const LONG_WORD = new RegExp(`\\S{${MAX_WORD}}(?=\\S)`, 'gu')

/** What the tokenizer puts around a text: `[CLS]` and `[SEP]`. */
function marksOf(tokenizer: Tokenizer): { before: number[]; after: number[] } {
  const bare: readonly number[] = tokenizer.encode('a', { add_special_tokens: false }).ids
  const framed: number[] = tokenizer.encode('a').ids
  const at = framed.findIndex((_, i) => bare.every((piece, j) => framed[i + j] === piece))
  return at < 0 ? { before: [], after: [] } : { before: framed.slice(0, at), after: framed.slice(at + bare.length) }
}

/** Of all that the vectors depend on. */
async function fingerprint({ modelFile, settings }: ModelDirectory, prefixes: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const part of [...settings, ...prefixes]) hash.update(`${part.length}:${part}`)
  await pipeline(createReadStream(modelFile), hash)
  return hash.digest('hex').slice(0, 12)
}
