// What a tool answered, as text that can be kept and shown: bounded, clean, and without the secrets that its server was
// given, should it send them back.

interface Block {
  readonly type: string
  readonly text?: unknown
  readonly data?: unknown
  readonly mimeType?: unknown
  readonly uri?: unknown
  readonly resource?: unknown
}

export interface RawAnswer {
  readonly content?: readonly Block[] | undefined
  readonly structuredContent?: unknown
  readonly isError?: boolean | undefined
}

/** Blocks that are read; there is no reason for more. */
const MOST_BLOCKS = 100
/** A secret shorter than this would blank out words. */
const LEAST_SECRET = 6

export function readAnswer(
  { content = [], structuredContent, isError = false }: RawAnswer,
  { maxBytes, secrets }: { readonly maxBytes: number; readonly secrets: readonly string[] },
) {
  const parts = content.slice(0, MOST_BLOCKS).map(blockText)
  if (parts.length === 0 && structuredContent !== undefined) parts.push(JSON.stringify(structuredContent))
  const whole = hideSecrets(parts.join('\n'), secrets)
  const text = clipBytes(whole, maxBytes)
  return { text, truncated: text.length < whole.length || content.length > MOST_BLOCKS, failed: isError }
}

function blockText({ type, text, data, mimeType, uri, resource }: Block): string {
  if (type === 'text') return typeof text === 'string' ? text : ''
  if (type === 'resource' && resource !== null && typeof resource === 'object' && 'text' in resource)
    return typeof resource.text === 'string' ? resource.text : ''
  // A link is told, never followed.
  if (type === 'resource_link') return `[a link: ${typeof uri === 'string' ? uri : '?'}]`
  const size = typeof data === 'string' ? `, ${Math.ceil((data.length * 3) / 4)} bytes` : ''
  return `[${type}${typeof mimeType === 'string' ? ` ${mimeType}` : ''}${size}: not shown]`
}

export const hideSecrets = (text: string, secrets: readonly string[]): string =>
  secrets.filter(({ length }) => length >= LEAST_SECRET).reduce((all, one) => all.replaceAll(one, '***'), text)

/** The first so many bytes of UTF-8, never half a character. */
function clipBytes(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text.toWellFormed())
  if (bytes.length <= maxBytes) return text.toWellFormed()
  let end = maxBytes
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, end)
}
