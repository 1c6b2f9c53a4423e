// Which tools of an MCP server may be called. A name that the config spells out may; of a pattern only what the server
// declares to be read-only. A server that lies about that was trusted with the pattern: spell names out where it matters.
import { matchesTool } from '../../core/tool-pattern.ts'

export interface DeclaredTool {
  readonly name: string
  readonly annotations?: { readonly readOnlyHint?: boolean | undefined } | undefined
}

export type Allowed = { readonly allowed: true } | { readonly allowed: false; readonly reason: string }

export function mayCall({ name, annotations }: DeclaredTool, patterns: readonly string[]): Allowed {
  if (patterns.includes(name)) return { allowed: true }
  if (!patterns.some((pattern) => matchesTool(pattern, name)))
    return { allowed: false, reason: 'it is not among the tools that may be called' }
  return annotations?.readOnlyHint === true
    ? { allowed: true }
    : { allowed: false, reason: 'its server does not declare it to be read-only; spell its name out to allow it' }
}
