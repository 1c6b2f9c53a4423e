// The blocks of a Messages request as parts in no dialect.
import { AppError } from '../../core/errors.ts'
import type { AssistantPart, CacheMark, FilePart, ImagePart, TextPart, UserPart } from '../../llm/request.ts'
import { isObject, type Json, objectsIn, textOf } from '../json.ts'
import { isMarked, markProof } from '../proof.ts'

type Content = TextPart | ImagePart | FilePart

/** `cache_control` of a block or a tool. */
export function cacheOf(block: Json): { cache?: CacheMark } {
  const control = block['cache_control']
  return isObject(control) ? { cache: { ttl: control['ttl'] === '1h' ? '1h' : '5m' } } : {}
}

/** Blocks of text alone; anything else is refused. `at`: the field, for errors. */
export function readTextParts(content: unknown, at: string): readonly TextPart[] {
  return readContent(content, at).map((part, i) => {
    if (part.kind === 'text') return part
    throw new AppError('malformed', `The field ${at}.${i} must be text.`, { field: `${at}.${i}` })
  })
}

export function readUserParts(content: unknown, at: string): readonly UserPart[] {
  if (!Array.isArray(content)) return readContent(content, at)
  return objectsIn(content).flatMap((block, i): readonly UserPart[] =>
    block['type'] === 'tool_result'
      ? [
          {
            kind: 'tool-result',
            callId: textOf(block['tool_use_id']) ?? '',
            parts: readContent(block['content'], `${at}.${i}.content`),
            ...(block['is_error'] === true ? { isError: true } : {}),
            ...cacheOf(block),
          },
        ]
      : readBlock(block, `${at}.${i}`),
  )
}

/** What Anthropic's own tools did before is left out: what the model said about it is there as text. */
export function readAssistantParts(content: unknown, at: string): readonly AssistantPart[] {
  if (!Array.isArray(content)) return readTextParts(content, at)
  return objectsIn(content).flatMap((block): readonly AssistantPart[] => {
    switch (block['type']) {
      case 'text':
        return text(block)
      case 'thinking': {
        const signature = textOf(block['signature'])
        return [
          {
            kind: 'reasoning',
            text: textOf(block['thinking']) ?? '',
            ...(signature ? { signature: marked(signature) } : {}),
          },
        ]
      }
      case 'redacted_thinking':
        return [{ kind: 'reasoning', text: '', encrypted: marked(textOf(block['data']) ?? '') }]
      case 'tool_use':
        return [
          {
            kind: 'tool-call',
            id: textOf(block['id']) ?? '',
            name: textOf(block['name']) ?? '',
            arguments: typeof block['input'] === 'string' ? block['input'] : JSON.stringify(block['input'] ?? {}),
          },
        ]
      default:
        return []
    }
  })
}

/** What comes from another provider was marked when it went to the caller; the rest is Anthropic's. */
const marked = (proof: string): string => (isMarked(proof) ? proof : markProof('anthropic', proof))

function readContent(content: unknown, at: string): readonly Content[] {
  if (typeof content === 'string') return content === '' ? [] : [{ kind: 'text', text: content }]
  return objectsIn(content).flatMap((block, i) => readBlock(block, `${at}.${i}`))
}

function readBlock(block: Json, at: string): readonly Content[] {
  switch (block['type']) {
    case 'text':
      return text(block)
    case 'image':
      return [readImage(block, at)]
    case 'document':
      return readDocument(block, at)
    case 'search_result':
      return [{ kind: 'text', text: searchResult(block), ...cacheOf(block) }]
    case 'tool_reference':
      return [{ kind: 'text', text: textOf(block['tool_name']) ?? '' }]
    default:
      throw new AppError(
        'malformed',
        `The field ${at}.type (${textOf(block['type']) ?? 'none'}) means something only to Anthropic, and this provider speaks another language.`,
        { field: `${at}.type` },
      )
  }
}

function text(block: Json): readonly TextPart[] {
  const said = textOf(block['text'])
  return said ? [{ kind: 'text', text: said, ...cacheOf(block) }] : []
}

function readImage(block: Json, at: string): ImagePart {
  const source = isObject(block['source']) ? block['source'] : {}
  const { type, data, url } = source
  if (type === 'base64' && typeof data === 'string') {
    const mediaType = textOf(source['media_type']) ?? 'image/png'
    return { kind: 'image', source: { kind: 'base64', mediaType, data }, ...cacheOf(block) }
  }
  if (type === 'url' && typeof url === 'string') {
    return { kind: 'image', source: { kind: 'url', url }, ...cacheOf(block) }
  }
  throw unreadable(at, 'an image must be given as base64 or as a url: a file id is known only where it was uploaded')
}

function readDocument(block: Json, at: string): readonly Content[] {
  const source = isObject(block['source']) ? block['source'] : {}
  const { type, data, url, content } = source
  const name = textOf(block['title'])
  const about = textOf(block['context'])
  const rest = { ...(name === undefined ? {} : { name }), ...cacheOf(block) }
  const context: readonly Content[] = about ? [{ kind: 'text', text: about }] : []
  if (type === 'base64' && typeof data === 'string') {
    const mediaType = textOf(source['media_type']) ?? 'application/pdf'
    return [...context, { kind: 'file', source: { kind: 'base64', mediaType, data }, ...rest }]
  }
  if (type === 'url' && typeof url === 'string')
    return [...context, { kind: 'file', source: { kind: 'url', url }, ...rest }]
  if (type === 'text' && typeof data === 'string') {
    return [...context, { kind: 'file', source: { kind: 'text', text: data }, ...rest }]
  }
  if (type === 'content') return [...context, ...readContent(content, `${at}.source.content`)]
  throw unreadable(
    at,
    'a document must be given as base64, text or a url: a file id is known only where it was uploaded',
  )
}

function searchResult(block: Json): string {
  const found = objectsIn(block['content']).map((part) => textOf(part['text']) ?? '')
  return [textOf(block['title']), textOf(block['source']), ...found].filter(Boolean).join('\n')
}

const unreadable = (field: string, why: string): AppError =>
  new AppError('malformed', `The field ${field} cannot be passed to this provider: ${why}.`, { field })
