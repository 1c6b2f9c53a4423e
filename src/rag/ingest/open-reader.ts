// How documents are read until their parsers are there: as text, cut at blank lines.
import { type Recipe, recipeOf } from './content-hash.ts'
import type { DocumentReader } from './reader.ts'
import { plainReader } from './testing/plain-reader.ts'

export interface OpenReader {
  readonly reader: DocumentReader
  readonly recipe: Recipe
}

export const openDocumentReader = (chunk: object): OpenReader => ({
  reader: plainReader,
  recipe: recipeOf({ version: 0, chunk }),
})
