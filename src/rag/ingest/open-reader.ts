// The parsers and the chunker, as the ingest reads by them.
import type { ChunkOptions } from '../chunk.ts'
import { PARSED_BY, readDocument } from '../parse/parse.ts'
import { type Recipe, recipeOf } from './content-hash.ts'
import type { DocumentReader } from './reader.ts'

export interface OpenReader {
  readonly reader: DocumentReader
  readonly recipe: Recipe
}

/** Its thread begins with the first document. */
export function openDocumentReader(chunk: ChunkOptions): OpenReader {
  return {
    recipe: recipeOf({ parsedBy: PARSED_BY, chunk }),
    reader: {
      read: async (raw, signal, turn) => {
        signal.throwIfAborted()
        const { document, passages } = await readDocument(raw, chunk, { signal, turn })
        const { title, text, metadata } = document
        return { title, text, metadata, passages }
      },
    },
  }
}
