// Texts as every database takes them. A NUL and half a surrogate pair have no place in PostgreSQL's; each is replaced by one
// character of the same length, so that offsets stay true.
import type { Metadata } from '../document.ts'
import type { NewDocument } from './store.ts'

export const plain = (text: string): string => text.toWellFormed().replaceAll('\0', '\ufffd')

const plainOrNull = (text: string | null): string | null => (text === null ? null : plain(text))

export const plainMetadata = (metadata: Metadata): Metadata =>
  Object.fromEntries(
    Object.entries(metadata).map(([key, value]) => [plain(key), typeof value === 'string' ? plain(value) : value]),
  )

/** Everything of it that is text; its passages keep their vectors. */
export function plainDocument<D extends NewDocument>(document: D): D {
  return {
    ...document,
    id: plain(document.id),
    title: plain(document.title),
    source: plainOrNull(document.source),
    contentHash: plain(document.contentHash),
    metadata: plainMetadata(document.metadata),
    owner: plainOrNull(document.owner),
    origin: plainOrNull(document.origin),
    text: plain(document.text),
    passages: document.passages.map((passage) => ({
      ...passage,
      headings: passage.headings.map(plain),
      text: plain(passage.text),
    })),
  }
}
