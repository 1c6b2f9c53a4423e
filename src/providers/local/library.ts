// The part of node-llama-cpp that is used here, and how it is found. It is no dependency of ours, for it weighs more than
// all the others together: who wants a model in the process installs it, and only then is it loaded.
import { ProviderFailure } from '../../llm/provider.ts'

export interface Library {
  getLlama(options: {
    readonly build: 'never'
    readonly skipDownload: true
    readonly progressLogs: false
    readonly logLevel: 'error'
  }): Promise<Llama>
  resolveChatWrapper(model: LlamaModel): ChatWrapper
  readonly LlamaChat: new (options: {
    readonly contextSequence: Sequence
    readonly chatWrapper: ChatWrapper
    readonly autoDisposeSequence: false
  }) => Chat
}

export interface Llama {
  loadModel(options: { readonly modelPath: string }): Promise<LlamaModel>
  createGrammarForJsonSchema(schema: Readonly<Record<string, unknown>>): Promise<Grammar>
  getGrammarFor(type: 'json'): Promise<Grammar>
  dispose(): Promise<void>
}

/** Opaque: made by the library, handed back to it. */
export interface Grammar {
  readonly grammar: string
}

export interface LlamaModel {
  readonly trainContextSize: number
  readonly tokenizer: unknown
  createContext(options: {
    readonly sequences: number
    readonly contextSize: number
    readonly threads: number
  }): Promise<{ readonly contextSize: number; getSequence(): Sequence }>
  createEmbeddingContext(options: { readonly contextSize: number; readonly threads: number }): Promise<EmbeddingContext>
}

export interface EmbeddingContext {
  calculateInputLength(text: string): number
  getEmbeddingFor(text: string): Promise<{ readonly vector: readonly number[] }>
}

export interface Sequence {
  readonly tokenMeter: {
    getState(): TokenCounts
    diff(before: TokenCounts): TokenCounts
  }
}

export interface TokenCounts {
  readonly usedInputTokens: number
  readonly usedOutputTokens: number
}

export interface ChatWrapper {
  generateContextState(options: {
    readonly chatHistory: readonly HistoryItem[]
    readonly availableFunctions?: Functions | undefined
  }): { readonly contextText: { tokenize(tokenizer: unknown): readonly unknown[] } }
}

export type HistoryItem =
  | { readonly type: 'system' | 'user'; readonly text: string }
  | { readonly type: 'model'; readonly response: ResponseItem[] }

export type ResponseItem =
  | string
  | { readonly type: 'functionCall'; readonly name: string; readonly params: unknown; result: unknown }
  | { readonly type: 'segment'; readonly segmentType: 'thought'; readonly text: string; readonly ended: true }

export type Functions = Readonly<
  Record<string, { readonly description?: string; readonly params: Readonly<Record<string, unknown>> }>
>

export interface Chat {
  generateResponse(history: readonly HistoryItem[], options: GenerateOptions): Promise<Generated>
  dispose(): void
}

export interface GenerateOptions {
  readonly signal: AbortSignal
  readonly maxTokens: number
  readonly temperature: number
  readonly seed: number
  readonly topP?: number
  readonly topK?: number
  readonly repeatPenalty:
    | false
    | { readonly penalty: 1; readonly frequencyPenalty: number; readonly presencePenalty: number }
  readonly customStopTriggers?: readonly string[]
  readonly grammar?: Grammar
  readonly functions?: Functions
  readonly maxParallelFunctionCalls?: number
  readonly onResponseChunk: (chunk: {
    readonly type: 'segment' | undefined
    readonly segmentType: string | undefined
    readonly text: string
  }) => void
}

export interface Generated {
  readonly functionCalls?: readonly { readonly functionName: string; readonly params: unknown }[]
  readonly metadata:
    | {
        readonly stopReason: 'eogToken' | 'stopGenerationTrigger' | 'functionCalls' | 'maxTokens' | 'abort'
      }
    | { readonly stopReason: 'customStopTrigger'; readonly customStopTrigger: readonly unknown[] }
}

/** Throws ProviderFailure that says what to install. */
export async function loadLibrary(): Promise<Library> {
  try {
    // As a variable, for there is nothing to check it against where it is not installed.
    const name = 'node-llama-cpp'
    return (await import(name)) as Library
  } catch (cause) {
    throw new ProviderFailure(
      'upstream_unreachable',
      'node-llama-cpp is not installed, and models from files need it: run "npm install node-llama-cpp" where Midwatch is installed, and start again',
      { cause },
    )
  }
}
