// Images and documents as Converse takes them: bytes, in one of a few formats, and a document by a harmless name.
import { Buffer } from 'node:buffer'
import { AppError } from '../../core/errors.ts'
import type { Json } from '../../dialects/json.ts'
import type { FilePart, ImagePart } from '../../llm/request.ts'

const IMAGES: Readonly<Record<string, string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpeg',
  'image/jpg': 'jpeg',
  'image/gif': 'gif',
  'image/webp': 'webp',
}

const DOCUMENTS: Readonly<Record<string, string>> = {
  'application/pdf': 'pdf',
  'text/csv': 'csv',
  'application/msword': 'doc',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'application/vnd.ms-excel': 'xls',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
  'text/html': 'html',
  'text/plain': 'txt',
  'text/markdown': 'md',
}

export function writeImage({ source }: ImagePart): Json {
  if (source.kind === 'url') throw unreadable(ADDRESS)
  const format = IMAGES[source.mediaType]
  if (format === undefined) throw unreadable(`an image of the type ${source.mediaType}. Send png, jpeg, gif or webp.`)
  return { image: { format, source: { bytes: source.data } } }
}

/** `number`: of the documents of this request, whose names must differ. */
export function writeDocument({ source, name }: FilePart, number: number): Json {
  const named = documentName(name, number)
  switch (source.kind) {
    case 'text':
      return { document: { format: 'txt', name: named, source: { bytes: base64(source.text) } } }
    case 'url':
      throw unreadable(ADDRESS)
    case 'base64': {
      const format = DOCUMENTS[source.mediaType] ?? (source.mediaType.startsWith('text/') ? 'txt' : undefined)
      if (format === undefined) throw unreadable(`a file of the type ${source.mediaType}.`)
      return { document: { format, name: named, source: { bytes: source.data } } }
    }
    case 'id':
      throw unreadable('a file that was uploaded to another provider. Send its bytes.')
  }
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')

const ADDRESS = 'an image or a file by its address. Send its bytes in base64, or ask another model.'

/** Letters, digits, single spaces, hyphens and brackets are all that it takes in a name. */
function documentName(name: string | undefined, number: number): string {
  const clean = (name ?? '')
    .replace(/\.[a-z0-9]+$/i, '')
    .replaceAll(/[^a-zA-Z0-9\s\-()[\]]/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, 180)
  return `${clean === '' ? 'document' : clean} ${number}`
}

const unreadable = (what: string): AppError =>
  new AppError('malformed', `Bedrock cannot be given ${what}`, { field: 'messages' })
