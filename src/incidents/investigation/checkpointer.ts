// Keeps the checkpoints of the incident graph in our own database, so that an investigation continues where the process
// died. A checkpoint and its channel values are one transaction; a value is stored once, under its channel's version,
// and every later checkpoint that did not change it points there.
import type { RunnableConfig } from '@langchain/core/runnables'
import {
  BaseCheckpointSaver,
  type Checkpoint,
  type CheckpointListOptions,
  type CheckpointMetadata,
  type CheckpointPendingWrite,
  type CheckpointTuple,
  compareWritesSortKeys,
  copyCheckpoint,
  getCheckpointId,
  maxChannelVersion,
  type PendingWrite,
  TASKS,
  WRITES_IDX_MAP,
  writesSortKey,
} from '@langchain/langgraph-checkpoint'
import type { Db } from '../../db/connect.ts'
import type { CheckpointRow, CheckpointTables } from './checkpoint-tables.ts'

type ChannelVersions = Record<string, number | string>

/** A value as the serialiser made it, as text: `json` as it is, anything else in base 64. */
interface Stored {
  readonly type: string
  readonly value: string
}

/** Marks a channel that was emptied at a version, so that it is not looked for. */
const EMPTY: Stored = { type: 'empty', value: '' }

/** A LangGraph checkpoint saver over Kysely. One thread is one incident. */
export class KyselyCheckpointSaver extends BaseCheckpointSaver {
  readonly #db: Db<CheckpointTables>

  constructor(db: Db<CheckpointTables>) {
    super()
    this.#db = db
  }

  /**
   * Counts up by one plus a random fraction. A version names a stored value, and two branches that grow out of the same
   * checkpoint would otherwise give the same name to different values.
   */
  override getNextVersion(current: number | undefined): number {
    return Math.floor(current ?? 0) + 1 + Math.floor(Math.random() * 2 ** 30) / 2 ** 30
  }

  async getTuple(config: RunnableConfig): Promise<CheckpointTuple | undefined> {
    const thread = textOf(config, 'thread_id')
    if (thread === undefined) return undefined
    const id = getCheckpointId(config)
    let query = this.#db
      .selectFrom('checkpoints')
      .selectAll()
      .where('thread_id', '=', thread)
      .where('namespace', '=', textOf(config, 'checkpoint_ns') ?? '')
    query = id === '' ? query.orderBy('checkpoint_id', 'desc').limit(1) : query.where('checkpoint_id', '=', id)
    const row = await query.executeTakeFirst()
    return row ? await this.#tuple(row) : undefined
  }

  async *list(config: RunnableConfig, options: CheckpointListOptions = {}): AsyncGenerator<CheckpointTuple> {
    const { before, filter } = options
    let left = options.limit ?? Number.POSITIVE_INFINITY
    let query = this.#db.selectFrom('checkpoints').selectAll().orderBy('checkpoint_id', 'desc')
    const wanted = [
      ['thread_id', textOf(config, 'thread_id')],
      ['namespace', textOf(config, 'checkpoint_ns')],
      ['checkpoint_id', textOf(config, 'checkpoint_id')],
    ] as const
    for (const [column, value] of wanted) if (value !== undefined) query = query.where(column, '=', value)
    const beforeId = before ? getCheckpointId(before) : ''
    if (beforeId !== '') query = query.where('checkpoint_id', '<', beforeId)
    for (const row of await query.execute()) {
      if (left <= 0) return
      const metadata = (await this.#load({ type: row.metadata_type, value: row.metadata })) as Record<string, unknown>
      if (filter && !Object.entries(filter).every(([key, value]) => metadata[key] === value)) continue
      left -= 1
      yield await this.#tuple(row)
    }
  }

  async put(
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    newVersions: ChannelVersions,
  ): Promise<RunnableConfig> {
    const thread_id = required(config, 'thread_id')
    const namespace = textOf(config, 'checkpoint_ns') ?? ''
    const { channel_values, ...rest } = copyCheckpoint(checkpoint)
    const body = await this.#dump({ ...rest, channel_values: {} })
    const about = await this.#dump(metadata)
    const values = await Promise.all(
      Object.entries(newVersions).map(async ([channel, version]) => ({
        thread_id,
        namespace,
        channel,
        version: String(version),
        ...(channel in channel_values ? await this.#dump(channel_values[channel]) : EMPTY),
      })),
    )
    const row: CheckpointRow = {
      thread_id,
      namespace,
      checkpoint_id: checkpoint.id,
      parent_id: textOf(config, 'checkpoint_id') ?? null,
      type: body.type,
      checkpoint: body.value,
      metadata_type: about.type,
      metadata: about.value,
    }
    await this.#db.transaction().execute(async (trx) => {
      for (const value of values) {
        await trx
          .insertInto('checkpoint_values')
          .values(value)
          .onConflict((conflict) => conflict.columns(['thread_id', 'namespace', 'channel', 'version']).doNothing())
          .execute()
      }
      await trx
        .insertInto('checkpoints')
        .values(row)
        .onConflict((conflict) => conflict.columns(['thread_id', 'namespace', 'checkpoint_id']).doUpdateSet(row))
        .execute()
    })
    return { configurable: { thread_id, checkpoint_ns: namespace, checkpoint_id: checkpoint.id } }
  }

  async putWrites(config: RunnableConfig, writes: PendingWrite[], taskId: string, taskPath = ''): Promise<void> {
    const at = {
      thread_id: required(config, 'thread_id'),
      namespace: textOf(config, 'checkpoint_ns') ?? '',
      checkpoint_id: required(config, 'checkpoint_id'),
      task_id: taskId,
      task_path: taskPath,
    }
    const rows = await Promise.all(
      writes.map(async ([channel, value], i) => ({
        ...at,
        position: WRITES_IDX_MAP[channel] ?? i,
        channel,
        ...(await this.#dump(value)),
      })),
    )
    await this.#db.transaction().execute(async (trx) => {
      for (const row of rows) {
        await trx
          .insertInto('checkpoint_writes')
          .values(row)
          .onConflict((conflict) => {
            const key = conflict.columns(['thread_id', 'namespace', 'checkpoint_id', 'task_id', 'position'])
            // A task's own writes are kept as they were first made; errors, interrupts and answers replace older ones.
            return row.position >= 0 ? key.doNothing() : key.doUpdateSet(row)
          })
          .execute()
      }
    })
  }

  /** Forgets everything about one thread. */
  async deleteThread(threadId: string): Promise<void> {
    await this.#db.transaction().execute(async (trx) => {
      await trx.deleteFrom('checkpoint_writes').where('thread_id', '=', threadId).execute()
      await trx.deleteFrom('checkpoint_values').where('thread_id', '=', threadId).execute()
      await trx.deleteFrom('checkpoints').where('thread_id', '=', threadId).execute()
    })
  }

  async #tuple(row: CheckpointRow): Promise<CheckpointTuple> {
    const checkpoint = (await this.#load({ type: row.type, value: row.checkpoint })) as Checkpoint
    checkpoint.channel_values = await this.#values(row, checkpoint.channel_versions)
    if (checkpoint.v < 4 && row.parent_id !== null) await this.#migratePendingSends(checkpoint, row, row.parent_id)
    const metadata = (await this.#load({ type: row.metadata_type, value: row.metadata })) as CheckpointMetadata
    const at = { thread_id: row.thread_id, checkpoint_ns: row.namespace }
    return {
      config: { configurable: { ...at, checkpoint_id: row.checkpoint_id } },
      checkpoint,
      metadata,
      pendingWrites: await this.#writes(row, row.checkpoint_id),
      ...(row.parent_id === null ? {} : { parentConfig: { configurable: { ...at, checkpoint_id: row.parent_id } } }),
    }
  }

  /** The value of every channel at the version this checkpoint names. */
  async #values(row: CheckpointRow, versions: ChannelVersions): Promise<Record<string, unknown>> {
    const wanted = Object.entries(versions)
    if (wanted.length === 0) return {}
    const stored = await this.#db
      .selectFrom('checkpoint_values')
      .selectAll()
      .where('thread_id', '=', row.thread_id)
      .where('namespace', '=', row.namespace)
      .where((is) => is.or(wanted.map(([channel, version]) => is.and({ channel, version: String(version) }))))
      .execute()
    const values: Record<string, unknown> = {}
    for (const value of stored) if (value.type !== EMPTY.type) values[value.channel] = await this.#load(value)
    return values
  }

  async #writes(row: CheckpointRow, checkpointId: string): Promise<CheckpointPendingWrite[]> {
    const stored = await this.#db
      .selectFrom('checkpoint_writes')
      .selectAll()
      .where('thread_id', '=', row.thread_id)
      .where('namespace', '=', row.namespace)
      .where('checkpoint_id', '=', checkpointId)
      .execute()
    const ordered = stored
      .map((write) => ({ write, key: writesSortKey(write.task_path, write.task_id, write.position) }))
      .sort((a, b) => compareWritesSortKeys(a.key, b.key))
    return await Promise.all(
      ordered.map(async ({ write }): Promise<CheckpointPendingWrite> => [
        write.task_id,
        write.channel,
        await this.#load(write),
      ]),
    )
  }

  /** Before version 4 of the format, sends lived in the parent's writes rather than in a channel. */
  async #migratePendingSends(checkpoint: Checkpoint, row: CheckpointRow, parentId: string): Promise<void> {
    const sends = (await this.#writes(row, parentId)).filter(([, channel]) => channel === TASKS)
    const versions = Object.values(checkpoint.channel_versions)
    checkpoint.channel_values[TASKS] = sends.map(([, , value]) => value)
    checkpoint.channel_versions[TASKS] =
      versions.length > 0 ? maxChannelVersion(...versions) : this.getNextVersion(undefined)
  }

  async #dump(value: unknown): Promise<Stored> {
    const [type, bytes] = await this.serde.dumpsTyped(value)
    return { type, value: type === 'json' ? new TextDecoder().decode(bytes) : Buffer.from(bytes).toString('base64') }
  }

  async #load({ type, value }: Stored): Promise<unknown> {
    return (await this.serde.loadsTyped(
      type,
      type === 'json' ? value : new Uint8Array(Buffer.from(value, 'base64')),
    )) as unknown
  }
}

function textOf(config: RunnableConfig, key: string): string | undefined {
  const value: unknown = config.configurable?.[key]
  return typeof value === 'string' ? value : undefined
}

function required(config: RunnableConfig, key: string): string {
  const value = textOf(config, key)
  if (value === undefined || value === '') throw new Error(`a checkpoint needs ${key} in its configuration`)
  return value
}
