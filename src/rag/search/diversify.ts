// No answer made of one page: at most so many passages of a document, and none that lies for the most part within a better one
// (passages overlap by design).
import type { StoredPassage } from '../store/store.ts'

/** The first `limit` of `ranked`, best first, with no more of a document than `perDocument`. */
export function diversify<P extends Pick<StoredPassage, 'collection' | 'document' | 'start' | 'end'>>(
  ranked: readonly P[],
  { limit, perDocument }: { readonly limit: number; readonly perDocument: number },
): readonly P[] {
  const taken: P[] = []
  const ofDocument = new Map<string, P[]>()
  for (const passage of ranked) {
    if (taken.length >= limit) break
    const key = JSON.stringify([passage.collection, passage.document])
    const siblings = ofDocument.get(key) ?? []
    if (siblings.length >= perDocument || siblings.some((other) => mostlyWithin(passage, other))) continue
    ofDocument.set(key, [...siblings, passage])
    taken.push(passage)
  }
  return taken
}

const mostlyWithin = (a: { start: number; end: number }, b: { start: number; end: number }): boolean =>
  Math.min(a.end, b.end) - Math.max(a.start, b.start) > (a.end - a.start) / 2
