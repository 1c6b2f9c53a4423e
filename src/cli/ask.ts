// `midwatch ask`: an answer from the documents of a collection, with the places where it stands. A Midwatch that runs is asked,
// which may have a model word the answer; where none answers, the knowledge base of the data folder is, and gives extracts.
import { existsSync } from 'node:fs'
import { Command } from 'commander'
import { DEFAULT_TENANT } from '../core/caller.ts'
import { systemClock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { newId } from '../core/ids.ts'
import { embeddingOpener } from '../embedding-model.ts'
import { createLog } from '../observe/log.ts'
import { answerQuestion } from '../rag/answer/answer.ts'
import { answerSchema, type AnswerView, answerView } from '../rag/answer/view.ts'
import { knowledgeFile, openKnowledge } from '../rag/knowledge.ts'
import { callServer, type ServerOptions, withServerOptions } from './client.ts'
import { parseName } from './names.ts'
import { renderAnswer } from './render-answer.ts'
import { readSettings } from './settings.ts'

type Options = ServerOptions & {
  readonly collection: string[]
  readonly model?: string | false
  readonly tenant: string
  readonly team?: string
  readonly data?: string
  readonly json?: boolean
}

/** A model has half a minute; the rest is for finding. */
const PATIENCE_MS = 60_000
const TOP_K = 8

export function askCommand(): Command {
  return withServerOptions(new Command('ask'))
    .description('an answer from the documents of a collection, with the places where it stands')
    .argument('<question>', 'what is asked')
    .requiredOption('--collection <name>', 'where to look, as often as needed', collectName)
    .option('--model <name>', "of the config's models: words the answer (default: the config's rag.model)")
    .option('--no-model', 'extracts, whatever the config says')
    .option('--data <folder>', 'ask the knowledge base of this data folder, and no server')
    .option('--tenant <name>', 'the tenant, where a data folder is asked', parseName, DEFAULT_TENANT)
    .option('--team <name>', 'read as a member of this team, where a data folder is asked', parseName)
    .option('--json', 'print JSON')
    .action(run)
}

async function run(question: string, options: Options): Promise<void> {
  const answer = await ask(question, options)
  if (options.json) console.log(JSON.stringify(answer))
  else console.log(renderAnswer(answer))
  if (!answer.answered) process.exitCode = 1
}

async function ask(question: string, options: Options): Promise<AnswerView> {
  if (options.data !== undefined) return askFolder(question, options)
  try {
    return await askServer(question, options)
  } catch (error) {
    const meant = options.url ?? process.env.MIDWATCH_URL
    if (meant !== undefined || !(error instanceof AppError) || error.code !== 'unavailable') throw error
    if (typeof options.model === 'string')
      throw new AppError('unavailable', `${error.message} Without it no model can be asked.`, { cause: error })
    return askFolder(question, options)
  }
}

const askServer = (question: string, options: Options): Promise<AnswerView> =>
  callServer(options, '/v1/rag/query', answerSchema, {
    method: 'POST',
    json: {
      query: question,
      collections: options.collection,
      top_k: TOP_K,
      ...(options.model === false ? { model: null } : options.model === undefined ? {} : { model: options.model }),
    },
    timeoutMs: PATIENCE_MS,
  })

async function askFolder(question: string, options: Options): Promise<AnswerView> {
  const { config } = readSettings(options.config)
  const dataFolder = options.data ?? config.data
  const { collection: collections, tenant, team } = options
  if (!config.rag.database && !existsSync(knowledgeFile(dataFolder))) {
    throw new AppError(
      'not_found',
      `There is no knowledge base in ${dataFolder}, and no Midwatch that runs. Make one: midwatch ingest PATH --collection ${collections[0] ?? 'NAME'}`,
    )
  }
  const log = createLog({ level: 'error' })
  const knowledge = await openKnowledge({
    config: config.rag,
    dataFolder,
    openEmbedding: embeddingOpener(config, { dataFolder }),
    clock: systemClock,
    log,
  })
  try {
    for (const name of collections) {
      if (!(await knowledge.store.findCollection(tenant, name)))
        throw new AppError('not_found', `There is no collection ${name}. See: midwatch collections`)
    }
    const from = { retriever: knowledge.retriever, chatModel: undefined, clock: systemClock, log }
    const query = { tenant, ...(team === undefined ? {} : { team }), text: question, collections, topK: TOP_K }
    const answer = await answerQuestion(from, { ...query, model: undefined }, new AbortController().signal)
    return answerView(answer, newId('req'))
  } finally {
    await knowledge.stop()
  }
}

const collectName = (value: string, before: string[] | undefined): string[] => [...(before ?? []), parseName(value)]
