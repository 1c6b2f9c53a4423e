// Reads text and cuts it at blank lines: documents for tests of what comes after.
import { AppError } from '../../../core/errors.ts'
import type { Passage } from '../../document.ts'
import type { DocumentReader } from '../reader.ts'

export const plainReader: DocumentReader = {
  read: async ({ id, bytes, title = id }) => {
    const text = Buffer.from(bytes).toString()
    if (text.includes('BROKEN')) throw new AppError('malformed', 'It is broken.')
    const passages: Passage[] = []
    for (const { 0: part, index } of text.matchAll(/\S(?:(?!\n\n)[^])*/g)) {
      if (part.trim() !== '')
        passages.push({
          ordinal: passages.length,
          headings: [],
          start: index,
          end: index + part.length,
          page: null,
          text: part,
        })
    }
    return { title, text, metadata: {}, passages }
  },
}
