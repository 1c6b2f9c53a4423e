// Images and files as OpenAI's dialects give them: an address, or the bytes in a `data:` address.
import { AppError } from '../core/errors.ts'
import type { Source } from '../llm/request.ts'

const DATA = /^data:([^;,]+)(?:;[^;,]*)*;base64,/i

/** Throws `malformed` naming the field. */
export function sourceOf(url: string, field: string): Source {
  if (/^https?:\/\//i.test(url)) return { kind: 'url', url }
  const source = base64Of(url)
  if (source) return source
  throw new AppError(
    'malformed',
    `The field ${field} must be an address that begins with https:// or with data:TYPE;base64,.`,
    { field },
  )
}

export function base64Of(url: string): Extract<Source, { kind: 'base64' }> | undefined {
  const head = DATA.exec(url)
  return head?.[1] === undefined
    ? undefined
    : { kind: 'base64', mediaType: head[1].toLowerCase(), data: url.slice(head[0].length) }
}

export const asDataUrl = (source: Source): string =>
  source.kind === 'url' ? source.url : `data:${source.mediaType};base64,${source.data}`

const TYPES: Readonly<Record<string, string>> = {
  pdf: 'application/pdf',
  txt: 'text/plain',
  md: 'text/markdown',
  csv: 'text/csv',
  html: 'text/html',
  json: 'application/json',
}

/** Of a file whose bytes came without one. */
export const mediaTypeOf = (name: string | undefined): string =>
  TYPES[name?.split('.').at(-1)?.toLowerCase() ?? ''] ?? 'application/pdf'
