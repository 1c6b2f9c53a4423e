// Files and batches over one data folder.
import { join } from 'node:path'
import { Batches, type BatchesOptions } from './batches.ts'
import { FileStore, type FileStoreOptions } from './file-store.ts'

export interface BatchOffice {
  readonly files: FileStore
  readonly batches: Batches
  /** Goes on with what a stop or a crash left. */
  start(): Promise<void>
  stop(): Promise<void>
}

export function createBatchOffice(
  options: Omit<BatchesOptions, 'files' | 'folder'> & {
    readonly dataFolder: string
    readonly room?: FileStoreOptions['room']
  },
): BatchOffice {
  const { db, clock, dataFolder, room } = options
  const files = new FileStore({ db, clock, folder: join(dataFolder, 'files'), room })
  const batches = new Batches({ ...options, files, folder: join(dataFolder, 'batches') })
  return {
    files,
    batches,
    start: async () => {
      await files.start()
      await batches.start()
    },
    stop: () => batches.stop(),
  }
}
