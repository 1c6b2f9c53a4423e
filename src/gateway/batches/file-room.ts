// Who may still write how much. Room is taken before the bytes are written, a slab at a time: however many uploads come at
// once, a tenant's files together stay within what it may have, and the disk keeps some space, without which the ledger
// could not be written and no model could be called.
import { statfs } from 'node:fs/promises'
import { AppError } from '../../core/errors.ts'

export interface FileRoomOptions {
  /** What the tenant's kept files come to. */
  readonly heldBytes: (tenant: string) => Promise<number>
  /** Of the disk. */
  readonly freeBytes: () => Promise<number>
  /** All files of one tenant together. */
  readonly maxTenantBytes?: number
  /** What stays free. */
  readonly floorBytes?: number
}

/** What one upload has taken of it. */
export interface Claim {
  /** Does the work of writing so much once there is room for it. Throws `too_large` or `storage_full`. */
  write(bytes: number, work: () => Promise<void>): Promise<void>
  /** Gives back what was taken; said again, it changes nothing. */
  release(): void
  /** Inserts the row that counts from now on, and gives back: nobody else is let in between. */
  settle(insert: () => Promise<void>): Promise<void>
}

const MAX_TENANT_BYTES = 10 * 1024 ** 3
const FLOOR_BYTES = 256 * 1024 ** 2
const SLAB_BYTES = 1024 ** 2

export const freeBytesAt = (folder: string) => async (): Promise<number> => {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}

export class FileRoom {
  readonly #options: FileRoomOptions
  readonly #maxTenantBytes: number
  readonly #floorBytes: number
  /** Taken by each tenant's uploads that are under way. */
  readonly #taken = new Map<string, number>()
  /** Of all that is taken, what is not on the disk yet. */
  #unwritten = 0
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: FileRoomOptions) {
    this.#options = options
    this.#maxTenantBytes = options.maxTenantBytes ?? MAX_TENANT_BYTES
    this.#floorBytes = options.floorBytes ?? FLOOR_BYTES
  }

  claim(tenant: string): Claim {
    let taken = 0
    let written = 0
    let open = true
    const release = (): void => {
      if (!open) return
      open = false
      this.#unwritten -= taken - written
      this.#take(tenant, -taken)
    }
    return {
      write: async (bytes, work) => {
        if (taken - written < bytes) {
          await this.#inTurn(async () => {
            const slab = Math.max(SLAB_BYTES, bytes - (taken - written))
            await this.#mayTake(tenant, slab)
            taken += slab
            this.#unwritten += slab
            this.#take(tenant, slab)
          })
        }
        await work()
        written += bytes
        this.#unwritten -= bytes
      },
      release,
      settle: (insert) =>
        this.#inTurn(async () => {
          await insert()
          release()
        }),
    }
  }

  async #mayTake(tenant: string, bytes: number): Promise<void> {
    const { heldBytes, freeBytes } = this.#options
    if ((await heldBytes(tenant)) + (this.#taken.get(tenant) ?? 0) + bytes > this.#maxTenantBytes)
      throw new AppError(
        'too_large',
        `All your files together may have ${this.#maxTenantBytes / 1024 ** 3} GiB. Delete some that you do not need.`,
      )
    if ((await freeBytes()) - this.#unwritten - bytes < this.#floorBytes) throw new AppError('storage_full')
  }

  #take(tenant: string, bytes: number): void {
    const taken = (this.#taken.get(tenant) ?? 0) + bytes
    if (taken > 0) this.#taken.set(tenant, taken)
    else this.#taken.delete(tenant)
  }

  /** One after the other: between a look at what is held and the taking nothing may come to be held. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }
}
