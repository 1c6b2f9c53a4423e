// `midwatch search`: which documents of a collection fit a text, or many texts, in the knowledge base of the data folder itself;
// works without a server. JSON lines {id, text} in, one line {id, results, none} out for each, in their order. Offsets count
// UTF-16 units of a document's text, as JavaScript's strings do.
import { createReadStream, existsSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { Command, InvalidArgumentError, Option } from 'commander'
import { DEFAULT_TENANT } from '../core/caller.ts'
import { systemClock } from '../core/clock.ts'
import { AppError, describeError } from '../core/errors.ts'
import { mapParallel } from '../core/parallel.ts'
import { embeddingOpener } from '../embedding-model.ts'
import { createLog } from '../observe/log.ts'
import { knowledgeFile, openKnowledge, type OpenKnowledge } from '../rag/knowledge.ts'
import { parseName } from './names.ts'
import { type Line, readTexts } from './read-texts.ts'
import { readSettings } from './settings.ts'
import { shown } from './shown.ts'

type Retrieved = Awaited<ReturnType<OpenKnowledge['retriever']['retrieve']>>

interface Options {
  readonly queries?: string
  readonly collection: string
  readonly top: number
  readonly mode: 'bm25' | 'vector' | 'hybrid'
  readonly tenant: string
  readonly team?: string
  readonly config?: string
  readonly data?: string
  readonly json?: boolean
}

const MAX_TOP = 100
/** Asked at a time: the next question is embedded while the store answers one. */
const BATCH = 16
const AT_ONCE = 3

export function searchCommand(): Command {
  return new Command('search')
    .description('which documents of a collection fit a text; works without a server')
    .argument('[text]', 'what is looked for')
    .option('--queries <file>', 'JSON lines {"id", "text"}, each looked for; - reads from standard input')
    .requiredOption('--collection <name>', 'where', parseName)
    .option('--top <count>', `how many documents, at most ${MAX_TOP}`, parseTop, 10)
    .addOption(
      new Option('--mode <mode>', 'by words, by vectors, or by both')
        .choices(['bm25', 'vector', 'hybrid'])
        .default('hybrid'),
    )
    .option('--tenant <name>', 'the tenant it belongs to', parseName, DEFAULT_TENANT)
    .option('--team <name>', 'read as a member of this team', parseName)
    .option('--config <file>', 'the config file (for rag and the data folder)')
    .option('--data <folder>', 'the data folder')
    .option('--json', 'print one JSON line for each text')
    .action(run)
}

async function run(text: string | undefined, options: Options): Promise<void> {
  if ((text === undefined) === (options.queries === undefined))
    throw new AppError('malformed', 'Say what to look for: either a text, or --queries with a file of them.')
  const knowledge = await openThere(options)
  try {
    const { tenant, collection: name } = options
    if (!(await knowledge.store.findCollection(tenant, name)))
      throw new AppError('not_found', `There is no collection ${name}. See: midwatch collections`)
    if (text !== undefined) {
      tell(await find(knowledge, { id: null, text }, options), options)
    } else {
      for await (const batch of batches(readTexts(inputOf(options.queries ?? '-')), BATCH)) {
        for (const answer of await mapParallel(batch, AT_ONCE, (line) => answerLine(knowledge, line, options))) {
          if ('problem' in answer) {
            console.error(answer.problem)
            process.exitCode = 1
          } else tell(answer, options)
        }
      }
    }
  } finally {
    await knowledge.stop()
  }
}

const inputOf = (file: string): Readable => (file === '-' ? process.stdin : createReadStream(file))

/** What is not there is not made. */
async function openThere(options: Options): Promise<OpenKnowledge> {
  const { config } = readSettings(options.config)
  const dataFolder = options.data ?? config.data
  if (!config.rag.database && !existsSync(knowledgeFile(dataFolder)))
    throw new AppError(
      'not_found',
      `There is no knowledge base in ${dataFolder}. Make one: midwatch ingest PATH --collection ${options.collection}`,
    )
  return openKnowledge({
    config: config.rag,
    dataFolder,
    openEmbedding: embeddingOpener(config, { dataFolder }),
    clock: systemClock,
    log: createLog({ level: 'error' }),
  })
}

interface Asked {
  readonly id: string | number | null
  readonly text: string
}

interface Answer {
  readonly id: Asked['id']
  readonly found: Retrieved
}

async function find(knowledge: OpenKnowledge, { id, text }: Asked, options: Options): Promise<Answer> {
  const { tenant, team, collection, top, mode } = options
  const query = { tenant, ...(team === undefined ? {} : { team }), text, collections: [collection], topK: top, mode }
  return { id, found: await knowledge.retriever.retrieve({ ...query, perDocument: 1 }, new AbortController().signal) }
}

async function answerLine(
  knowledge: OpenKnowledge,
  line: Line,
  options: Options,
): Promise<Answer | { readonly problem: string }> {
  if (line.kind === 'bad')
    return { problem: `Line ${line.number} ${line.problem}. Each has to be {"id": …, "text": "…"}.` }
  if (line.text.trim() === '') return { id: line.id, found: { passages: [], none: true, confidence: 0 } }
  try {
    return await find(knowledge, line, options)
  } catch (error) {
    throw new AppError('unavailable', `Line ${line.number} could not be searched for: ${describeError(error)}`, {
      cause: error,
    })
  }
}

async function* batches<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<readonly T[]> {
  let batch: T[] = []
  for await (const item of items) {
    batch.push(item)
    if (batch.length < size) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

function tell({ id, found }: Answer, { json }: Options): void {
  for (const { half, reason } of found.missing ?? []) console.error(`Not searched by ${half}: ${reason}`)
  if (json) {
    const results = found.passages.map(({ document, score, start, end }) => ({ document, score, start, end }))
    const { none, confidence } = found
    return console.log(JSON.stringify({ ...(id === null ? {} : { id }), results, none, confidence }))
  }
  if (id !== null) console.log(`${id}:`)
  if (found.passages.length === 0) console.log('Nothing found.')
  else if (found.none) console.log('Nothing seems to fit. The nearest:')
  for (const { document, title, headings, text, score } of found.passages) {
    const place = [...(title === document ? [] : [title]), ...headings.filter((heading) => heading !== title)].join(
      ' › ',
    )
    console.log(`${score.toFixed(3)}  ${shown(document)}${place === '' ? '' : `  (${shown(place)})`}`)
    console.log(`       ${oneLine(text)}`)
  }
}

const SHOWN = 160
const oneLine = (text: string): string => {
  const line = text.replaceAll(/[\s\p{C}]+/gu, ' ').trim()
  return line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line
}

function parseTop(text: string): number {
  const top = Number(text)
  if (Number.isInteger(top) && top >= 1 && top <= MAX_TOP) return top
  throw new InvalidArgumentError(`It has to be a number from 1 to ${MAX_TOP}.`)
}
