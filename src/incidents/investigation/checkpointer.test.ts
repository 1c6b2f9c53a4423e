// The suite that LangGraph's makers wrote for checkpoint savers, and what we rely on beyond it.
import { deltaChannelHistoryTests, validate } from '@langchain/langgraph-checkpoint-validation'
import { emptyCheckpoint, uuid6 } from '@langchain/langgraph-checkpoint'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test } from 'vitest'
import { connectSqlite } from '../../db/connect.ts'
import { migrate } from '../../db/migrate.ts'
import { checkpointMigrations, type CheckpointTables } from './checkpoint-tables.ts'
import { KyselyCheckpointSaver } from './checkpointer.ts'

// The suite takes the test functions from the global scope.
Object.assign(globalThis, { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it })

const closers = new Map<KyselyCheckpointSaver, () => Promise<void>>()

async function createCheckpointer(): Promise<KyselyCheckpointSaver> {
  const connection = connectSqlite(':memory:')
  await migrate(connection, checkpointMigrations)
  const saver = new KyselyCheckpointSaver(connection.as<CheckpointTables>())
  closers.set(saver, () => connection.close())
  return saver
}

const destroyCheckpointer = async (saver: KyselyCheckpointSaver) => await closers.get(saver)?.()

const initializer = { checkpointerName: 'KyselyCheckpointSaver', createCheckpointer, destroyCheckpointer }

validate(initializer)
deltaChannelHistoryTests(initializer)

describe('beyond the suite', () => {
  test('two branches of one checkpoint keep their own values', async () => {
    const saver = await createCheckpointer()
    const thread = { configurable: { thread_id: 'inc_1', checkpoint_ns: '' } }
    const metadata = { source: 'loop', step: 0, parents: {} } as const
    const root = await saver.put(thread, { ...emptyCheckpoint(), id: uuid6(0) }, metadata, {})
    const branch = async (value: string) => {
      const x = saver.getNextVersion(3)
      const checkpoint = { ...emptyCheckpoint(), id: uuid6(1), channel_values: { x: value }, channel_versions: { x } }
      return await saver.put(root, checkpoint, metadata, { x })
    }
    const left = await branch('left')
    const right = await branch('right')
    expect((await saver.get(left))?.channel_values).toEqual({ x: 'left' })
    expect((await saver.get(right))?.channel_values).toEqual({ x: 'right' })
    await destroyCheckpointer(saver)
  })

  test('versions only grow', async () => {
    const saver = await createCheckpointer()
    let version: number | undefined
    for (let i = 0; i < 200; i++) {
      const next = saver.getNextVersion(version)
      expect(next).toBeGreaterThan(version ?? 0)
      version = next
    }
    await destroyCheckpointer(saver)
  })
})
