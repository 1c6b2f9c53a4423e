// The model that is installed with Midwatch: USE-lite, English, 512 dimensions, 128 word pieces at a time.
import type { Encoder } from '../encoder.ts'
import { openSession, toUnitLength } from '../encoder.ts'
import { USE_LITE } from '../protocol.ts'
import type { Reading } from '../windows.ts'
import { convertedModel, loadVocabulary } from './convert.ts'
import { createCut } from './pieces.ts'

const DIMENSION = 512
const UNKNOWN = 0

export async function openUseLite(cacheFolder: string, threads: number): Promise<Encoder> {
  const { session, ort } = await openSession(convertedModel(cacheFolder), threads)
  const reading: Reading = { cut: createCut(loadVocabulary()), maxPieces: 128, fewestPieces: 24 }
  return {
    id: USE_LITE,
    dimension: DIMENSION,
    reading: () => reading,
    encode: async (rows) => {
      const width = Math.max(1, ...rows.map((row) => row.length))
      const ids = new BigInt64Array(rows.length * width)
      const mask = new Float32Array(rows.length * width)
      rows.forEach((row, r) => {
        // What has no pieces at all counts as something unknown.
        ;(row.length > 0 ? row : [UNKNOWN]).forEach((piece, i) => {
          ids[r * width + i] = BigInt(piece)
          mask[r * width + i] = 1
        })
      })
      const shape = [rows.length, width]
      const { vectors } = await session.run({
        ids: new ort.Tensor('int64', ids, shape),
        mask: new ort.Tensor('float32', mask, shape),
      })
      const data = vectors?.data
      if (!(data instanceof Float32Array)) throw new Error('the model gave no vectors')
      return rows.map((_, r) => toUnitLength(data.slice(r * DIMENSION, (r + 1) * DIMENSION)))
    },
  }
}
