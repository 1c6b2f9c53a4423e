// `midwatch collections`: what the knowledge base of the data folder holds; works without a server.
import { existsSync } from 'node:fs'
import { Command } from 'commander'
import { DEFAULT_TENANT } from '../core/caller.ts'
import { AppError } from '../core/errors.ts'
import { createLog } from '../observe/log.ts'
import { knowledgeFile, openStore } from '../rag/knowledge.ts'
import type { KnowledgeStore } from '../rag/store/store.ts'
import { parseName } from './names.ts'
import { readSettings } from './settings.ts'

interface Options {
  readonly tenant: string
  readonly config?: string
  readonly data?: string
  readonly json?: boolean
}

export function collectionsCommand(): Command {
  return new Command('collections')
    .description('what the knowledge base holds; works without a server')
    .addCommand(common(new Command('list'), 'every collection of a tenant').action(list), { isDefault: true })
    .addCommand(
      common(new Command('drop'), 'remove a collection with everything in it').argument('<name>').action(drop),
    )
}

const common = (command: Command, description: string): Command =>
  command
    .description(description)
    .option('--tenant <name>', 'the tenant', parseName, DEFAULT_TENANT)
    .option('--config <file>', 'the config file (for rag and the data folder)')
    .option('--data <folder>', 'the data folder')
    .option('--json', 'print JSON')

async function list(options: Options): Promise<void> {
  const collections = (await withStore(options, (store) => store.listCollections(options.tenant))) ?? []
  if (options.json) return console.log(JSON.stringify(collections))
  if (collections.length === 0) console.log('No collections yet. Make one: midwatch ingest PATH --collection NAME')
  for (const { name, documents, passages, teams, embedding } of collections) {
    const readers = teams.length === 0 ? 'everyone' : teams.join(', ')
    console.log(
      `${name}  ${documents} documents, ${passages} passages, read by ${readers}, embedded by ${embedding?.model ?? 'nothing yet'}`,
    )
  }
}

async function drop(name: string, options: Options): Promise<void> {
  const dropped = await withStore(options, async (store) => {
    const collection = await store.findCollection(options.tenant, name)
    return collection !== null && (await store.dropCollection(collection.id))
  })
  if (!dropped) throw new AppError('not_found', `There is no collection ${name}. See: midwatch collections`)
  console.log(options.json ? JSON.stringify({ name, dropped: true }) : `${name} is gone.`)
}

/** undefined where there is no knowledge base: none is made to find that out. */
async function withStore<T>(options: Options, use: (store: KnowledgeStore) => Promise<T>): Promise<T | undefined> {
  const { config } = readSettings(options.config)
  const dataFolder = options.data ?? config.data
  if (!config.rag.database && !existsSync(knowledgeFile(dataFolder))) return undefined
  const store = await openStore({ config: config.rag, dataFolder, log: createLog({ level: 'error' }) })
  try {
    return await use(store)
  } finally {
    await store.stop()
  }
}
