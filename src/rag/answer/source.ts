// What an answer says where it has something from: a place in a stored document, and the words that stand there.
import type { FoundPassage } from '../../llm/retriever.ts'

export interface AnswerSource {
  /** As it is cited in the answer, from 1. */
  readonly n: number
  readonly collection: string
  readonly document: string
  readonly title: string
  /** To open: a path or URL; null for text that was sent to us. */
  readonly source: string | null
  readonly headings: readonly string[]
  /** UTF-16 offsets in the document's text; `quote` is what stands between them. */
  readonly start: number
  readonly end: number
  /** From 1; of formats with pages. */
  readonly page: number | null
  readonly quote: string
}

export interface AnswerSentence {
  /** As it stands in the answer, with its citations. */
  readonly text: string
  /** Numbers of sources; empty only of one that is marked as unsupported. */
  readonly citations: readonly number[]
}

/** A document that is near to a question that nothing answers. */
export interface NearDocument {
  readonly collection: string
  readonly document: string
  readonly title: string
  readonly source: string | null
}

/** Numbers sources in the order in which they are cited. A place within one that is cited already has its number. */
export class Sources {
  readonly list: AnswerSource[] = []

  cite(passage: FoundPassage, span: { readonly start: number; readonly end: number }): AnswerSource {
    const start = passage.start + span.start
    const end = passage.start + span.end
    const known = this.list.find(
      (one) =>
        one.collection === passage.collection &&
        one.document === passage.document &&
        one.start <= start &&
        end <= one.end,
    )
    if (known) return known
    const source: AnswerSource = {
      n: this.list.length + 1,
      collection: passage.collection,
      document: passage.document,
      title: passage.title,
      source: passage.source,
      headings: passage.headings,
      start,
      end,
      page: passage.page,
      quote: passage.text.slice(span.start, span.end),
    }
    this.list.push(source)
    return source
  }
}
