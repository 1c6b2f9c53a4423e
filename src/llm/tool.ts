// Tools of other systems that the agent may ask, and what they answer. All of it is text of others: data to be shown or
// judged, never instructions.

export interface ToolAnswer {
  readonly text: string
  /** There was more than is taken. */
  readonly truncated: boolean
  /** The tool itself says that it failed; `text` is its word for it. */
  readonly failed: boolean
}

export interface ToolSource {
  readonly name: string
  /** Throws AppError: `forbidden` for a tool that may not be called, `limited`, `deadline`, `unavailable`. */
  call(tool: string, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<ToolAnswer>
  stop(): Promise<void>
}
