// What makes a stored document the same as one that comes again: its bytes, what was said about it, and the recipe by which
// it was parsed and cut. Vectors are no part of it: another model does not parse anew.
import { createHash } from 'node:crypto'
import { canonicalJson, sha256Hex } from '../../core/hash.ts'
import type { RawDocument } from '../document.ts'

/** Stands for the ways of parsing and cutting; the same for all documents of a run. */
export type Recipe = string & { readonly brand: 'Recipe' }

export const recipeOf = (parts: Readonly<Record<string, unknown>>): Recipe =>
  sha256Hex(canonicalJson(parts)).slice(0, 12) as Recipe

export function contentHash(recipe: Recipe, { bytes, title, source, mediaType, metadata, owner }: RawDocument): string {
  const about = canonicalJson({ title, source, mediaType, metadata, owner })
  return `${recipe}-${createHash('sha256').update(about).update('\0').update(bytes).digest('hex')}`
}

/** Whether a document that was stored under this hash would be cut the same today. */
export const isOfRecipe = (hash: string, recipe: Recipe): boolean => hash.startsWith(`${recipe}-`)
