// A conversation in no dialect as Gemini takes it: what the system says stands apart, turns of one speaker are one, the
// results of tools stand in a turn of their own right behind the calls, by name, and no part is empty.
import { Buffer } from 'node:buffer'
import { AppError } from '../../core/errors.ts'
import { plainCallId, signatureOf } from '../../dialects/call-id.ts'
import { toolInputOf } from '../../dialects/exact-json.ts'
import type { Json } from '../../dialects/json.ts'
import { resultsBehindCalls } from '../../dialects/tool-results.ts'
import type {
  AssistantPart,
  FilePart,
  ImagePart,
  Message,
  Source,
  TextPart,
  ToolCallPart,
  ToolResultPart,
  UserPart,
} from '../../llm/request.ts'
import type { ModelTraits } from './models.ts'

export interface Contents {
  readonly system: readonly Json[]
  readonly contents: readonly Content[]
}

interface Content {
  readonly role: 'user' | 'model'
  readonly parts: Json[]
}

/** Google's own word for a call whose signature cannot be had: made by another model, or by hand. */
const NO_SIGNATURE = 'skip_thought_signature_validator'
/** Where a conversation begins with the model: Gemini wants the user to begin. */
const BEGINNING = '(The conversation begins.)'

/** Throws AppError `malformed` for what Gemini cannot be told. */
export function writeContents(
  messages: readonly Message[],
  prefill: string | undefined,
  traits: ModelTraits,
): Contents {
  const system: Json[] = []
  const contents: Content[] = []
  const names = new Map<string, string>()
  /** A turn of results takes nothing but results: Gemini counts them against the calls. */
  const add = (role: Content['role'], parts: readonly Json[]) => {
    if (parts.length === 0) return
    const last = contents.at(-1)
    if (last?.role === role && holdsResults(last.parts) === holdsResults(parts)) last.parts.push(...parts)
    else contents.push({ role, parts: [...parts] })
  }
  for (const message of resultsBehindCalls(messages)) {
    switch (message.role) {
      case 'system':
        system.push(...message.parts.flatMap(writeText))
        break
      case 'user': {
        const { results, said } = writeUser(message.parts, names, traits)
        add('user', results)
        add('user', said)
        break
      }
      case 'assistant':
        for (const part of message.parts) if (part.kind === 'tool-call') names.set(plainCallId(part.id), part.name)
        add('model', writeAssistant(message.parts, traits))
        break
    }
  }
  if (prefill !== undefined) add('model', writeText({ kind: 'text', text: prefill }))
  // Somebody has to have said something; where only the system has, that is what is asked.
  if (contents.length === 0) add('user', system.splice(0))
  if (contents.length === 0) {
    throw new AppError('malformed', 'The field messages holds nothing to answer.', { field: 'messages' })
  }
  if (contents[0]?.role === 'model') contents.unshift({ role: 'user', parts: [{ text: BEGINNING }] })
  return { system, contents }
}

const holdsResults = (parts: readonly Json[]): boolean => parts[0]?.['functionResponse'] !== undefined

const writeText = ({ text }: TextPart): readonly Json[] => (text === '' ? [] : [{ text }])

function writeUser(
  parts: readonly UserPart[],
  names: ReadonlyMap<string, string>,
  traits: ModelTraits,
): { results: readonly Json[]; said: readonly Json[] } {
  const results: Json[] = []
  const said: Json[] = []
  for (const part of parts) {
    if (part.kind !== 'tool-result') {
      said.push(...writeUserPart(part))
      continue
    }
    const name = names.get(plainCallId(part.callId))
    if (name === undefined)
      said.push({ text: `The result of the tool call ${plainCallId(part.callId)}: ${textOf(part)}` })
    else results.push(writeResult(part, name, traits))
    const shown = name !== undefined && traits.mediaInResults ? [] : part.parts.filter(({ kind }) => kind !== 'text')
    if (shown.length > 0)
      said.push({ text: `From the result of the tool ${name ?? ''}:` }, ...shown.flatMap(writeUserPart))
  }
  return { results, said }
}

function writeResult(part: ToolResultPart, name: string, { mediaInResults }: ModelTraits): Json {
  const media = mediaInResults ? part.parts.filter((one) => one.kind !== 'text').flatMap(writeUserPart) : []
  return {
    functionResponse: {
      id: plainCallId(part.callId),
      name,
      response: part.isError === true ? { error: textOf(part) || 'The tool failed.' } : { output: textOf(part) },
      ...(media.length > 0 ? { parts: media } : {}),
    },
  }
}

const textOf = ({ parts }: ToolResultPart): string =>
  parts.flatMap((part) => (part.kind === 'text' ? [part.text] : [])).join('\n')

function writeUserPart(part: Exclude<UserPart, ToolResultPart>): readonly Json[] {
  switch (part.kind) {
    case 'text':
      return writeText(part)
    case 'image':
      return [writeSource(part.source, imageTypeOf(part))]
    case 'audio':
      return [{ inlineData: { mimeType: `audio/${part.format}`, data: part.data } }]
    case 'file':
      return writeFile(part)
  }
}

function writeFile({ source, name }: FilePart): readonly Json[] {
  switch (source.kind) {
    case 'text':
      return [
        ...(name === undefined ? [] : [{ text: `${name}:` }]),
        { inlineData: { mimeType: 'text/plain', data: Buffer.from(source.text).toString('base64') } },
      ]
    case 'id':
      throw new AppError(
        'malformed',
        'A file that was uploaded to another provider is not known to Google. Send its bytes or its address.',
        { field: 'messages' },
      )
    case 'base64':
    case 'url':
      return [writeSource(source, 'application/pdf')]
  }
}

const writeSource = (source: Source, mediaType: string): Json =>
  source.kind === 'url'
    ? { fileData: { mimeType: mediaType, fileUri: source.url } }
    : { inlineData: { mimeType: source.mediaType, data: source.data } }

const IMAGE_TYPES: Readonly<Record<string, string>> = {
  png: 'image/png',
  webp: 'image/webp',
  gif: 'image/gif',
  heic: 'image/heic',
  heif: 'image/heif',
}

/** Of an image given by its address: it has to be said, and only the address tells. */
function imageTypeOf({ source }: ImagePart): string {
  if (source.kind === 'base64') return source.mediaType
  const ending = /\.([a-z]+)(?:[?#]|$)/i.exec(source.url)?.[1]?.toLowerCase() ?? ''
  return IMAGE_TYPES[ending] ?? 'image/jpeg'
}

/** What it thought before is not for Gemini to read again: the signature of what followed from it says it. */
function writeAssistant(parts: readonly AssistantPart[], traits: ModelTraits): readonly Json[] {
  const signed = parts.some((part) => part.kind === 'tool-call' && signatureOf(part.id) !== undefined)
  let unsigned = traits.signsCalls && !signed
  return parts.flatMap((part): readonly Json[] => {
    switch (part.kind) {
      case 'text':
        return writeText(part)
      case 'refusal':
        return writeText({ kind: 'text', text: part.text })
      case 'reasoning':
        return []
      case 'tool-call': {
        // Of several calls Gemini signs the first.
        const signature = signatureOf(part.id) ?? (unsigned ? NO_SIGNATURE : undefined)
        unsigned = false
        return [{ functionCall: writeCall(part), ...(signature === undefined ? {} : { thoughtSignature: signature }) }]
      }
    }
  })
}

const writeCall = ({ id, name, arguments: json }: ToolCallPart): Json => ({
  id: plainCallId(id),
  name,
  args: toolInputOf(json),
})
