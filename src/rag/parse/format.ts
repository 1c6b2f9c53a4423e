// Which format a document is in. The bytes decide where they can (a PDF called .txt is a PDF), then the declared type,
// then the name.
import { AppError } from '../../core/errors.ts'

export type Format = 'markdown' | 'asciidoc' | 'rst' | 'text' | 'code' | 'html' | 'pdf' | 'docx'

const BY_EXTENSION: Readonly<Record<string, Format>> = {
  md: 'markdown',
  markdown: 'markdown',
  mdx: 'markdown',
  mdown: 'markdown',
  mkd: 'markdown',
  adoc: 'asciidoc',
  asciidoc: 'asciidoc',
  asc: 'asciidoc',
  rst: 'rst',
  rest: 'rst',
  html: 'html',
  htm: 'html',
  xhtml: 'html',
  pdf: 'pdf',
  docx: 'docx',
  txt: 'text',
  text: 'text',
  log: 'text',
}
const CODE =
  /^(?:json|jsonl|json5|ya?ml|toml|ini|conf|cfg|properties|env|xml|csv|tsv|sql|sh|bash|zsh|ps1|py|rb|go|rs|java|kt|scala|c|h|cc|cpp|hpp|cs|m?[jt]sx?|c[jt]s|php|pl|lua|r|swift|ex|exs|erl|hs|clj|tf|hcl|jsonnet|libsonnet|rego|proto|graphql|dockerfile|makefile|mk|gradle|css|scss|diff|patch)$/
const BY_TYPE: Readonly<Record<string, Format>> = {
  'text/markdown': 'markdown',
  'text/x-markdown': 'markdown',
  'text/html': 'html',
  'application/xhtml+xml': 'html',
  'text/asciidoc': 'asciidoc',
  'text/x-rst': 'rst',
  'application/pdf': 'pdf',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'application/json': 'code',
  'application/yaml': 'code',
  'application/xml': 'code',
  'text/xml': 'code',
  'text/csv': 'code',
}
/** Formats that people do hand in, and what to do about them. */
const REFUSED: readonly (readonly [magic: string, what: string])[] = [
  ['d0cf11e0', 'an old Office file; save it as DOCX or PDF'],
  ['89504e47', 'a PNG image'],
  ['ffd8ff', 'a JPEG image'],
  ['47494638', 'a GIF image'],
  ['1f8b', 'compressed by gzip; unpack it first'],
  ['377abcaf', 'a 7z archive; unpack it first'],
  ['7f454c46', 'a program'],
  ['53514c69746520666f726d61742033', 'an SQLite database'],
  ['7b5c727466', 'RTF; save it as DOCX or PDF'],
]

/** Throws when it is something known that has no text for us. */
export function formatOf(name: string, mediaType: string | undefined, bytes: Uint8Array): Format {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 1024))
  if (head.includes('%PDF-')) return 'pdf'
  const extension = /\.([\w-]+)$/.exec(name.replace(/[?#].*$/, ''))?.[1]?.toLowerCase() ?? ''
  const type = mediaType?.split(';')[0]?.trim().toLowerCase() ?? ''
  const told = BY_TYPE[type] ?? BY_EXTENSION[extension]
  if (head.subarray(0, 4).toString('latin1') === 'PK\u0003\u0004') {
    if (told === 'docx' || told === undefined) return 'docx'
    throw new AppError('malformed', 'It is a zip archive and not what its name says. Unpack it first.')
  }
  const refused = REFUSED.find(([magic]) => head.toString('hex').startsWith(magic))
  if (refused) throw new AppError('malformed', `It is ${refused[1]}. There is no text to be read from it.`)
  if (told === 'pdf')
    throw new AppError('malformed', 'It is called a PDF but does not begin like one. Export it again.')
  if (told === 'docx') throw new AppError('malformed', 'It is called a DOCX but is no zip archive. Save it again.')
  if (told) return told
  if (CODE.test(extension) || /(?:^|\/)(?:Dockerfile|Makefile|Jenkinsfile)$/.test(name)) return 'code'
  return /^\s*(?:<!doctype html|<html)/i.test(head.toString('latin1')) ? 'html' : 'text'
}
