// Files of callers on the disk, and what is known of them in the database. A file is written under another name first and
// gets its own once all of it is on the platter; its row comes last. So a row always has its whole file, and what a crash
// leaves over has no row and is swept away at the next start.
import { createReadStream, type ReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import type { Caller } from '../../core/caller.ts'
import type { Clock } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import { newId } from '../../core/ids.ts'
import type { Db } from '../../db/connect.ts'
import { type Claim, FileRoom, type FileRoomOptions, freeBytesAt } from './file-room.ts'
import { type BatchTables, ENDED, type FileRow } from './tables.ts'

export interface Draft {
  readonly id: string
  readonly bytes: number
  /** Makes it a file of this caller. */
  keep(file: {
    readonly caller: Caller
    readonly filename: string
    readonly expiresAt: number | null
  }): Promise<FileRow>
  discard(): Promise<void>
}

export interface Page {
  readonly after?: string | undefined
  readonly limit: number
  readonly order: 'asc' | 'desc'
}

export interface FileStoreOptions {
  readonly db: Db<BatchTables>
  readonly folder: string
  readonly clock: Clock
  /** Where the usual measures do not fit. */
  readonly room?: Partial<FileRoomOptions> | undefined
}

export class FileStore {
  readonly folder: string
  readonly #db: Db<BatchTables>
  readonly #clock: Clock
  readonly #room: FileRoom

  constructor({ db, folder, clock, room }: FileStoreOptions) {
    this.#db = db
    this.folder = folder
    this.#clock = clock
    this.#room = new FileRoom({
      heldBytes: (tenant) => heldBytes(this.#db, tenant),
      freeBytes: freeBytesAt(folder),
      ...room,
    })
  }

  /** Makes the folder and removes from it what belongs to no row. Call once, before anything is written. */
  async start(): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 })
    await this.sweep()
    const rows = await this.#db.selectFrom('files').select('id').execute()
    const closing = await this.#db
      .selectFrom('batches')
      .select(['output_file_id', 'error_file_id'])
      .where('status', 'not in', ENDED)
      .execute()
    const wanted = new Set([
      ...rows.map(({ id }) => id),
      ...closing.flatMap(({ output_file_id, error_file_id }) => [output_file_id, error_file_id]),
    ])
    for (const name of await readdir(this.folder)) if (!wanted.has(name)) await rm(join(this.folder, name))
  }

  /**
   * Takes in bytes of a tenant, to be kept or discarded. Throws `too_large`, `storage_full`, and whatever the source
   * throws.
   */
  async draft(tenant: string, source: AsyncIterable<Buffer>, maxBytes: number): Promise<Draft> {
    const id = newId('file', this.#clock.now())
    const path = join(this.folder, `${id}.part`)
    const claim = this.#room.claim(tenant)
    const discard = async () => {
      await rm(path, { force: true })
      claim.release()
    }
    let bytes = 0
    const handle = await open(path, 'wx', 0o600).catch(noSpace)
    try {
      for await (const chunk of source) {
        bytes += chunk.length
        if (bytes > maxBytes) throw new AppError('too_large', `The file is larger than ${maxBytes / 1024 ** 2} MiB.`)
        await claim.write(chunk.length, () => handle.writeFile(chunk).catch(noSpace))
      }
      await handle.sync().catch(noSpace)
    } catch (error) {
      await handle.close()
      await discard()
      throw error
    }
    await handle.close()
    return { id, bytes, discard, keep: (file) => this.#keep(path, { id, bytes, claim }, file) }
  }

  async #keep(
    path: string,
    { id, bytes, claim }: { id: string; bytes: number; claim: Claim },
    { caller, filename, expiresAt }: Parameters<Draft['keep']>[0],
  ): Promise<FileRow> {
    const { tenant, keyId } = caller
    const row: FileRow = {
      id,
      tenant,
      key_id: keyId,
      filename,
      purpose: 'batch',
      bytes,
      created_at: this.#clock.now(),
      expires_at: expiresAt,
    }
    await this.sweep()
    await rename(path, this.path(id))
    await flushFolder(this.folder)
    try {
      await claim.settle(async () => {
        await this.#db.insertInto('files').values(row).execute()
      })
    } catch (error) {
      await rm(this.path(id), { force: true })
      claim.release()
      throw error
    }
    return row
  }

  path(id: string): string {
    return join(this.folder, id)
  }

  /** undefined: there is none, it is somebody else's, or its time is over. */
  async find(tenant: string, id: string): Promise<FileRow | undefined> {
    const row = await this.#db
      .selectFrom('files')
      .selectAll()
      .where('id', '=', id)
      .where('tenant', '=', tenant)
      .executeTakeFirst()
    return row && (row.expires_at === null || row.expires_at > this.#clock.now()) ? row : undefined
  }

  /** One more than the limit where there are more. */
  async list(tenant: string, { after, limit, order }: Page, purpose?: string): Promise<FileRow[]> {
    return this.#db
      .selectFrom('files')
      .selectAll()
      .where('tenant', '=', tenant)
      .where((is) => is.or([is('expires_at', 'is', null), is('expires_at', '>', this.#clock.now())]))
      .$if(purpose !== undefined, (query) => query.where('purpose', '=', purpose as FileRow['purpose']))
      .$if(after !== undefined, (query) => query.where('id', order === 'asc' ? '>' : '<', after ?? ''))
      .orderBy('id', order)
      .limit(limit + 1)
      .execute()
  }

  read(id: string, from = 0): ReadStream {
    return createReadStream(this.path(id), { start: from, highWaterMark: 256 * 1024 })
  }

  /** false: there is none. Throws `conflict` while a batch reads it. */
  async delete(tenant: string, id: string): Promise<boolean> {
    const gone = await this.#db.transaction().execute(async (trx) => {
      const reader = await trx
        .selectFrom('batches')
        .select('id')
        .where('input_file_id', '=', id)
        .where('tenant', '=', tenant)
        .where('status', 'not in', ENDED)
        .executeTakeFirst()
      if (reader) throw new AppError('conflict', `The batch ${reader.id} still reads this file. Cancel it first.`)
      const deleted = await trx.deleteFrom('files').where('id', '=', id).where('tenant', '=', tenant).executeTakeFirst()
      return deleted.numDeletedRows > 0n
    })
    if (gone) await rm(this.path(id), { force: true })
    return gone
  }

  /** Removes files whose time is over, unless a batch still reads them. */
  async sweep(): Promise<void> {
    const over = await this.#db
      .selectFrom('files')
      .select(['id', 'tenant'])
      .where('expires_at', '<=', this.#clock.now())
      .where((is) =>
        is.not(
          is.exists(
            is
              .selectFrom('batches')
              .select('batches.id')
              .whereRef('batches.input_file_id', '=', 'files.id')
              .where('batches.status', 'not in', ENDED),
          ),
        ),
      )
      .execute()
    for (const { id, tenant } of over) await this.delete(tenant, id)
  }
}

async function heldBytes(db: Db<BatchTables>, tenant: string): Promise<number> {
  const { held } = await db
    .selectFrom('files')
    .select(sql<number | string>`coalesce(sum(bytes), 0)`.as('held'))
    .where('tenant', '=', tenant)
    .executeTakeFirstOrThrow()
  return Number(held)
}

/** A name is on the platter only once its folder is. */
async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function noSpace(error: NodeJS.ErrnoException): never {
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT')
    throw new AppError('storage_full', undefined, { cause: error })
  throw new AppError('unavailable', 'The file cannot be stored right now. Try again later.', { cause: error })
}
