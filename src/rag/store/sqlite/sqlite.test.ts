import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '../../../observe/log.ts'
import { describeStore } from '../contract.ts'
import { openSqliteStore } from './open.ts'

describeStore(
  'a knowledge base in SQLite',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'midwatch-test-'))
    const store = await openSqliteStore(join(folder, 'knowledge.db'), { log: silentLog() })
    return {
      store,
      close: async () => {
        await store.stop()
        rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
      },
    }
  },
  { passages: 2000 },
)
