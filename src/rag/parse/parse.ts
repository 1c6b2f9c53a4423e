// The way in for documents: parsed and cut into passages in a thread of its own, with a limit on time and memory, for the
// file may be hostile and the thread that serves requests must not wait for it.
import { AppError } from '../../core/errors.ts'
import type { ChunkOptions } from '../chunk.ts'
import type { ParsedDocument, Passage, RawDocument } from '../document.ts'
import { LARGEST_FILE, tooLarge } from './formats.ts'
import { runInThread, type ThreadLimits } from './parse-in-thread.ts'

/** Goes into the hash of a document's content: a newer parser or chunker reads everything anew. Raise it with either. */
export const PARSED_BY = 'parse-2'

export interface ReadDocument {
  readonly document: ParsedDocument
  readonly passages: readonly Passage[]
}

/**
 * Parses and cuts a document. Throws an AppError whose message says what is wrong with the file and what to do, without
 * its name: `malformed`, `too_large`, or `deadline` when it takes too long.
 */
export async function readDocument(
  raw: RawDocument,
  options: ChunkOptions = {},
  limits: ThreadLimits = {},
): Promise<ReadDocument> {
  const { id, source, title, mediaType, metadata } = raw
  if (raw.bytes.byteLength > LARGEST_FILE) throw tooLarge('file', LARGEST_FILE)
  if (raw.bytes.byteLength === 0) throw new AppError('malformed', 'The file is empty.')
  // A copy that is handed over; the bytes may be a part of a larger buffer, which would be sent along whole.
  const bytes = Uint8Array.from(raw.bytes)
  return runInThread(
    {
      raw: {
        id,
        source,
        ...(title !== undefined && { title }),
        ...(mediaType !== undefined && { mediaType }),
        metadata,
        bytes,
      },
      options,
    },
    limits,
  )
}

/** As `readDocument`, for who wants the text alone. */
export async function parseDocument(raw: RawDocument, limits: ThreadLimits = {}): Promise<ParsedDocument> {
  const { document } = await readDocument(raw, {}, limits)
  return document
}
