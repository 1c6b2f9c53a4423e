import { silentLog } from '../../../observe/log.ts'
import { describeStore } from '../contract.ts'
import { startPostgres } from '../testing/postgres.ts'
import { openPostgresStore } from './open.ts'

describeStore(
  'a knowledge base in PostgreSQL',
  async () => {
    const server = await startPostgres()
    const store = await openPostgresStore(server.url, { log: silentLog(), exactPassages: 300 })
    return {
      store,
      close: async () => {
        await store.stop()
        await server.close()
      },
    }
  },
  {
    // Inserting into a graph is slow here.
    passages: 600,
  },
)
