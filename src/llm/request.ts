// A request in no dialect: what every dialect's reader produces and every provider's writer starts from, where caller
// and provider do not speak the same. A field that a request does not set is absent, never a default.

export type NeutralRequest = NeutralChat | NeutralEmbeddings

export interface NeutralEmbeddings {
  readonly kind: 'embeddings'
  readonly inputs: readonly string[]
  readonly dimensions?: number
  /** Who is behind the call, as the caller names them. */
  readonly user?: string
}

export interface NeutralChat {
  readonly kind: 'chat'
  readonly messages: readonly Message[]
  readonly tools: readonly ToolDefinition[]
  readonly toolChoice?: ToolChoice
  /** false: at most one tool call an answer. */
  readonly parallelToolCalls?: boolean
  readonly output?: OutputFormat
  readonly maxOutputTokens?: number
  readonly temperature?: number
  readonly topP?: number
  readonly topK?: number
  readonly stop?: readonly string[]
  readonly seed?: number
  readonly frequencyPenalty?: number
  readonly presencePenalty?: number
  readonly logprobs?: { readonly top: number }
  readonly reasoning?: Reasoning
  /** How many alternative answers; 1 where absent. */
  readonly choices?: number
  readonly user?: string
  readonly metadata?: Readonly<Record<string, string>>
  readonly serviceTier?: string
}

export type Message =
  /** `system` covers OpenAI's `developer`. It may stand anywhere among the messages. */
  | { readonly role: 'system'; readonly parts: readonly TextPart[] }
  | { readonly role: 'user'; readonly parts: readonly UserPart[]; readonly name?: string }
  | { readonly role: 'assistant'; readonly parts: readonly AssistantPart[] }

export type UserPart = TextPart | ImagePart | FilePart | AudioPart | ToolResultPart
export type AssistantPart = TextPart | ReasoningPart | ToolCallPart | RefusalPart

export interface TextPart {
  readonly kind: 'text'
  readonly text: string
  /** The caller asks the provider to cache everything up to here. */
  readonly cache?: CacheMark
}

export interface CacheMark {
  readonly ttl: '5m' | '1h'
}

/** Bytes in base64, or an address that the provider can fetch. */
export type Source =
  | { readonly kind: 'base64'; readonly mediaType: string; readonly data: string }
  | { readonly kind: 'url'; readonly url: string }

export interface ImagePart {
  readonly kind: 'image'
  readonly source: Source
  readonly detail?: 'low' | 'high' | 'auto'
  readonly cache?: CacheMark
}

export interface FilePart {
  readonly kind: 'file'
  readonly source:
    | Source
    | { readonly kind: 'text'; readonly text: string }
    | { readonly kind: 'id'; readonly id: string }
  readonly name?: string
  readonly cache?: CacheMark
}

export interface AudioPart {
  readonly kind: 'audio'
  readonly format: string
  /** Base64. */
  readonly data: string
}

export interface ToolResultPart {
  readonly kind: 'tool-result'
  /** The id of the call that this answers. */
  readonly callId: string
  readonly parts: readonly (TextPart | ImagePart | FilePart)[]
  readonly isError?: boolean
  readonly cache?: CacheMark
}

export interface ToolCallPart {
  readonly kind: 'tool-call'
  readonly id: string
  readonly name: string
  /** JSON as the model wrote it; `{}` where it wrote nothing. */
  readonly arguments: string
}

export interface ReasoningPart {
  readonly kind: 'reasoning'
  readonly text: string
  /** What proves to the provider that the text is its own. It means nothing to any other provider. */
  readonly signature?: string
  /** Reasoning that the provider hides: opaque, to be handed back as it came. */
  readonly encrypted?: string
}

export interface RefusalPart {
  readonly kind: 'refusal'
  readonly text: string
}

export interface ToolDefinition {
  readonly name: string
  readonly description?: string
  /** A JSON schema. */
  readonly parameters: Readonly<Record<string, unknown>>
  /** As OpenAI means it, which is stricter than others: every member required, every object closed. */
  readonly strict?: boolean
  readonly cache?: CacheMark
}

export type ToolChoice =
  | { readonly kind: 'auto' | 'none' | 'required' }
  | { readonly kind: 'tool'; readonly name: string }

export type OutputFormat =
  | { readonly kind: 'text' }
  | { readonly kind: 'json' }
  | {
      readonly kind: 'schema'
      readonly name: string
      readonly schema: Readonly<Record<string, unknown>>
      readonly strict?: boolean
      readonly description?: string
    }

export interface Reasoning {
  readonly effort?: 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh'
  readonly budgetTokens?: number
  /** The caller wants to read (a summary of) the reasoning. */
  readonly visible?: boolean
}
