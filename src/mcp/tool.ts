// What a tool is that Midwatch offers to MCP clients. Every one but `investigate` only reads; none approves or acts.
import type { z } from 'zod'
import type { Caller, Scope } from '../core/caller.ts'
import type { Quoting } from './quoting.ts'

export interface ToolCall<Input> {
  readonly input: Input
  readonly caller: Caller
  readonly quoting: Quoting
  readonly signal: AbortSignal
}

export interface OfferedTool<Schema extends z.ZodObject = z.ZodObject> {
  readonly name: string
  readonly title: string
  readonly description: string
  /** A caller without one of them does not see the tool. */
  readonly scopes: readonly Scope[]
  readonly input: Schema
  readonly readOnly: boolean
  /** What the client is told: text as it is, anything else as JSON. Throws AppError, whose message it may read. */
  readonly call: (call: ToolCall<z.output<Schema>>) => Promise<unknown>
}

/** Keeps the type of the input between schema and call. */
export const offer = <Schema extends z.ZodObject>(tool: OfferedTool<Schema>): OfferedTool => tool
