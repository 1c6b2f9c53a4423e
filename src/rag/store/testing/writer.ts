// A process to be killed: puts documents of many passages, old and new, as fast as it can, and tells on standard output that it
// has begun. Argument: the file of the store.
import { createLog } from '../../../observe/log.ts'
import { openSqliteStore } from '../sqlite/open.ts'
import { documentWith, embedding, random } from './documents.ts'

const [file = ''] = process.argv.slice(2)
const store = await openSqliteStore(file, { log: createLog({ level: 'error' }) })
const { id } = await store.ensureCollection({ tenant: 'killed', name: 'c' }, 1)
const chance = random(process.pid)
for (let version = 0; ; version++) {
  const count = 1 + Math.floor(chance() * 150)
  const texts = Array.from({ length: count }, (_, i) => `version${version} of ${count} passage ${i}`)
  const document = documentWith(`d${Math.floor(chance() * 8)}`, texts)
  await store.putDocument(id, { ...document, contentHash: `${version} ${count}` }, embedding)
  if (version % 10 === 9) await store.removeDocument(id, document.id)
  if (version === 10) process.stdout.write('begun\n')
}
