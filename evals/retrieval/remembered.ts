// Vectors that were made once are not made again: kept in a file, by the model and the text.
import { DatabaseSync } from 'node:sqlite'
import { sha256Hex } from '../../src/core/hash.ts'
import type { EmbeddingModel } from '../../src/llm/embedding.ts'

export function remembered(model: EmbeddingModel, file: string): EmbeddingModel {
  const db = new DatabaseSync(file, { timeout: 10_000 })
  db.exec('pragma journal_mode = wal; pragma synchronous = off')
  db.exec('create table if not exists vectors (key text primary key, bytes blob not null) without rowid')
  const find = db.prepare('select bytes from vectors where key = ?')
  const keep = db.prepare('insert or replace into vectors values (?, ?)')
  const keyOf = (use: string, text: string) => `${use} ${sha256Hex(`${model.id}\0${text}`)}`
  const load = (key: string): readonly Float32Array[] | undefined => {
    const row = find.get(key) as { bytes: Uint8Array } | undefined
    if (!row) return undefined
    const all = new Float32Array(row.bytes.slice().buffer)
    return Array.from({ length: all.length / model.dimension }, (_, i) =>
      all.slice(i * model.dimension, (i + 1) * model.dimension),
    )
  }
  const save = (key: string, vectors: readonly Float32Array[]): void => {
    keep.run(key, Buffer.concat(vectors.map((v) => new Uint8Array(v.buffer, v.byteOffset, v.byteLength))))
  }
  return {
    id: model.id,
    dimension: model.dimension,
    embedPassages: async (texts, signal) => {
      const keys = texts.map((text) => keyOf('passage', text))
      const known = keys.map(load)
      const missing = texts.filter((_, i) => known[i] === undefined)
      const made = missing.length === 0 ? [] : await model.embedPassages(missing, signal)
      let next = 0
      return known.map((vectors, i) => {
        if (vectors) return vectors
        const fresh = made[next++] ?? []
        save(keys[i] ?? '', fresh)
        return fresh
      })
    },
    embedQuery: async (text, signal) => {
      const key = keyOf('query', text)
      const [known] = load(key) ?? []
      if (known) return known
      const made = await model.embedQuery(text, signal)
      save(key, [made])
      return made
    },
    stop: async () => {
      await model.stop()
      db.close()
    },
  }
}
