// From bytes to a parsed document, in whatever thread this runs: the hostile file is to run in one that can be killed.
import { AppError } from '../../core/errors.ts'
import type { ParsedDocument, RawDocument } from '../document.ts'
import { decodeText } from './decode.ts'
import { parseDocx } from './docx.ts'
import { type Format, formatOf } from './format.ts'
import { parseHtml } from './html.ts'
import { parseMarkdown } from './markdown.ts'
import type { Parsed } from './parsed.ts'
import { parsePdf } from './pdf.ts'
import { parsePlainText } from './plain-text.ts'
import { parseAsciidoc, parseRst } from './plain-headings.ts'

/** The most that is taken of a binary format, and of text: what is larger is a dump, not a document. */
export const LARGEST_FILE = 64 * 1024 * 1024
const LARGEST_TEXT = 16 * 1024 * 1024

export type ParseInput = Pick<RawDocument, 'id' | 'source' | 'title' | 'bytes' | 'mediaType' | 'metadata'>

/** It is indexed, embedded and compared with every passage. */
const LONGEST_TITLE = 1000

/** Throws an AppError that says what is wrong with the file, without its name. */
export async function parseBytes(raw: ParseInput): Promise<ParsedDocument> {
  const format = formatOf(raw.source ?? raw.id, raw.mediaType, raw.bytes)
  const parsed = await parseFormat(format, raw.bytes)
  if (parsed.text.length > LARGEST_TEXT) throw tooLarge('text', LARGEST_TEXT)
  if (parsed.blocks.length === 0) throw new AppError('malformed', 'There is no text in it.')
  return {
    title: (raw.title ?? (parsed.title?.trim() || nameOf(raw))).slice(0, LONGEST_TITLE).toWellFormed(),
    text: parsed.text,
    blocks: parsed.blocks,
    metadata: { ...parsed.metadata, ...raw.metadata },
  }
}

async function parseFormat(format: Format, bytes: Uint8Array): Promise<Parsed> {
  if (format === 'pdf') return parsePdf(bytes)
  if (format === 'docx') return parseDocx(bytes)
  if (bytes.byteLength > LARGEST_TEXT * 2) throw tooLarge('text', LARGEST_TEXT)
  const text = decodeText(bytes)
  switch (format) {
    case 'markdown':
      return parseMarkdown(text)
    case 'html':
      return parseHtml(text)
    case 'asciidoc':
      return parseAsciidoc(text)
    case 'rst':
      return parseRst(text)
    case 'text':
      return parsePlainText(text)
    case 'code':
      return parsePlainText(text, 'code')
  }
}

export function tooLarge(what: 'file' | 'text', limit: number): AppError {
  const mebibytes = limit / 1024 / 1024
  return new AppError('too_large', `The ${what} is larger than ${mebibytes} MiB, the most that is read. Split it.`)
}

function nameOf(raw: ParseInput): string {
  const path = (raw.source ?? raw.id).replace(/[?#].*$/, '').replace(/\/+$/, '')
  return path.slice(path.lastIndexOf('/') + 1).replace(/\.\w{1,8}$/, '') || raw.id
}
