import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { tempFolder } from '../../../../test/temp.ts'
import { random } from '../testing/documents.ts'
import { Database } from './database.ts'
import { createWordIndex, indexWords, WEIGHTS } from './word-index.ts'
import { WordSearch } from './word-search.ts'

/** Word w is in about one passage of w. */
function manyPassages(count: number): Database {
  const db = new Database(join(tempFolder(), 'knowledge.db'), 'write')
  onTestFinished(() => db.close())
  db.exec('create table documents (collection integer, passages integer)')
  db.run('insert into documents values (1, ?)', count)
  createWordIndex(db, 1)
  const chance = random(4)
  db.write(() => {
    for (let n = 1; n <= count; n++) {
      const words = Array.from({ length: 30 }, () => `w${Math.ceil(400 ** chance())}`)
      indexWords(db, 1, { n, title: '', headings: [], text: words.join(' ') })
    }
  })
  return db
}

test('the passages that the rarest words choose are those that all words would have chosen', () => {
  const db = manyPassages(8000)
  const search = new WordSearch(db)
  const chance = random(8)
  for (let round = 0; round < 40; round++) {
    const words = [...new Set(Array.from({ length: 2 + (round % 6) }, () => `w${Math.ceil(400 ** chance())}`))]
    const given = search.search(
      words.map((text) => ({ text, part: false })),
      [{ n: 1, documents: undefined }],
      10,
    )
    const expected = db.all<{ passage: number; score: number }>(
      `select rowid as passage, -bm25(words_1, ${WEIGHTS}) as score from words_1 where words_1 match ?
       order by score desc, rowid limit 10`,
      words.map((word) => `"${word}"`).join(' OR '),
    )
    expect(given).toHaveLength(expected.length)
    // By the same measure up to a factor; words that are in most passages count next to nothing.
    const factor = (given[0]?.score ?? 1) / (expected[0]?.score ?? 1)
    if ((expected[0]?.score ?? 0) < 0.01) continue
    given.forEach(({ score }, i) => expect(score / factor / (expected[i]?.score ?? 1)).toBeCloseTo(1, 2))
  }
})
