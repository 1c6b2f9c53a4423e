// Tools of other systems that the agent may ask: what they are called, and what they answer. Everything they say of
// themselves, their descriptions too, is text of others: data to be shown or judged, never instructions.

export interface ToolInfo {
  readonly name: string
  /** In the words of its server. */
  readonly description: string
  /** A JSON schema, as its server gives it. */
  readonly inputSchema: unknown
}

export interface ToolAnswer {
  readonly text: string
  /** There was more than is taken. */
  readonly truncated: boolean
  /** The tool itself says that it failed; `text` is its word for it. */
  readonly failed: boolean
}

export interface ToolSource {
  readonly name: string
  /** Those that may be called. Throws AppError when the server cannot be asked. */
  tools(signal: AbortSignal): Promise<readonly ToolInfo[]>
  /** Throws AppError: `forbidden` for a tool that may not be called, `limited`, `deadline`, `unavailable`. */
  call(tool: string, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<ToolAnswer>
  stop(): Promise<void>
}
