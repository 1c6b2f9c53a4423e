// The simplest that one would do instead: FTS5 over whole documents, the question's words joined by OR, nothing tuned.
import { DatabaseSync } from 'node:sqlite'
import { sha256Hex } from '../../src/core/hash.ts'
import type { Answered } from './report.ts'
import type { RetrievalSet } from './sets.ts'

export function plainBm25({ documents, questions }: RetrievalSet, limit: number): Answered[] {
  const db = new DatabaseSync(':memory:')
  db.exec(
    'create virtual table words using fts5 (collection unindexed, id unindexed, text, tokenize = "porter unicode61")',
  )
  const insert = db.prepare('insert into words values (?, ?, ?)')
  for (const [collection, all] of documents)
    for (const { id, title, bytes } of all)
      insert.run(collection, id, `${title ?? ''}\n${Buffer.from(bytes).toString()}`)
  const search = db.prepare(
    'select id, -bm25(words) as score from words where words match ? and collection = ? order by score desc limit ?',
  )
  const answers = questions.map(({ id, text, collection, relevant }): Answered => {
    const words = new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [])
    const asked = Array.from(words, (word) => `"${word}"`).join(' OR ')
    const rows = search.all(asked, collection, limit) as { id: string; score: number }[]
    return {
      id,
      relevant,
      ranked: rows.map((row) => row.id),
      confidence: rows[0]?.score ?? 0,
      none: rows.length === 0,
      half: Number.parseInt(sha256Hex(id).slice(0, 2), 16) % 2 === 0 ? 'first' : 'second',
    }
  })
  db.close()
  return answers
}
