// Cuts a document into passages: along headings, then blocks, then sentences or lines. A passage is a span of the
// document's text, never a rewriting of it, so a citation opens the right place. Linear in the length of the document.
import type { ParsedDocument, Passage } from './document.ts'
import { packSections } from './chunk/pack.ts'
import { sectionsOf } from './chunk/sections.ts'

export interface ChunkOptions {
  /** The most a passage holds, by `estimateTokens`. */
  readonly tokens?: number
  /** How many sentences of a passage its successor in the same section repeats. */
  readonly overlapSentences?: number
}

/** About two windows of the 128 pieces that the local embedding reads, and a screen of text for a reader. */
const TOKENS = 220
const SMALLEST_TOKENS = 16

/** In order; every character of the document's blocks that is not blank is in one of them. */
export function chunk(document: ParsedDocument, options: ChunkOptions = {}): readonly Passage[] {
  const limit = Math.max(SMALLEST_TOKENS, options.tokens ?? TOKENS)
  const spans = packSections(document.text, sectionsOf(document, limit), limit, options.overlapSentences ?? 1)
  return spans.map((span, ordinal) => ({
    ordinal,
    headings: span.headings,
    start: span.start,
    end: span.end,
    page: span.page ?? null,
    text: document.text.slice(span.start, span.end),
  }))
}
