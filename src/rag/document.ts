// What a document is on its way in: bytes are parsed into text with an outline, the text is cut into passages. Offsets
// are UTF-16 units of the document's text, which for Markdown and plain text is the file as it stands (with hidden text
// blanked in place, so that the offsets stay the file's).

export type Metadata = Readonly<Record<string, string | number | boolean>>

/** As a source hands it over. */
export interface RawDocument {
  /** Unique in its collection: the path relative to the folder given, the URL, the id in a line of JSON. */
  readonly id: string
  /** Where a reader opens it: a path or URL; null for text that was sent to us. */
  readonly source: string | null
  readonly title?: string
  readonly bytes: Uint8Array
  /** Decides how it is parsed: a media type where one is known, else told by the name and the bytes. */
  readonly mediaType?: string
  readonly metadata: Metadata
  /** The user whose data it is, for erasure. */
  readonly owner?: string
}

export interface ParsedDocument {
  readonly title: string
  readonly text: string
  readonly blocks: readonly Block[]
  readonly metadata: Metadata
}

/** In order, apart from one another; what is between them (markup, blank lines) is no content. */
export interface Block {
  readonly kind: 'heading' | 'paragraph' | 'list' | 'code' | 'table'
  /** Of a heading, from 1. */
  readonly level?: number
  /** Of a heading: its words without markup. */
  readonly words?: string
  /** Of a table whose rows do not say it themselves: its column names, which a passage of later rows would lack. */
  readonly columns?: readonly string[]
  readonly start: number
  readonly end: number
  /** From 1; of formats with pages. */
  readonly page?: number
}

export interface Passage {
  readonly ordinal: number
  /** From the outermost inwards; behind them `Columns: a | b` where the text is the later part of a table. */
  readonly headings: readonly string[]
  readonly start: number
  readonly end: number
  readonly page: number | null
  /** What is searched and shown: the text between the offsets. */
  readonly text: string
}
