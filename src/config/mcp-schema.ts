// `agent.sources.mcp`: servers of the Model Context Protocol that the agent may ask, which of their tools, and what it asks
// for each incident by itself.
import { z } from 'zod'
import { placeholdersOf } from '../core/template.ts'
import { matchesTool } from '../core/tool-pattern.ts'
import { headerSecret, httpUrl, milliseconds, name, secret } from './fields.ts'

/** A tool's name, or the begin of names: `get_*`. */
const toolPattern = z
  .string()
  .regex(/^[A-Za-z0-9_./-]{1,128}\*?$/, 'must be the name of a tool, or the begin of names such as get_*')

/** What may stand in the arguments of a call: what the alert at hand says. */
const ALERT_PLACEHOLDERS = ['service', 'alert', 'severity', 'summary', 'startsAt'] as const

const ask = z.strictObject({
  tool: z.string().min(1).max(128),
  /** `{service}`, `{alert}`, `{severity}`, `{summary}` and `{startsAt}` are those of the alert. */
  arguments: z.record(z.string().min(1).max(100), z.union([z.string().max(2000), z.number(), z.boolean()])).default({}),
})

const server = z
  .strictObject({
    /** A program that speaks MCP on its standard input and output. It inherits nothing of our environment but PATH, HOME and the like. */
    command: z.string().min(1).optional(),
    args: z.array(z.string()).default([]),
    env: z
      .record(z.string().regex(/^[A-Za-z_]\w*$/, 'must be the name of an environment variable'), secret)
      .default({}),
    /** Or an address that speaks MCP's Streamable HTTP. */
    url: httpUrl.optional(),
    headers: z.record(z.string().regex(/^[\w-]+$/, 'must be the name of a header'), headerSecret).default({}),
    /** Tools that may be called. Of a pattern only those that the server declares to be read-only. */
    tools: z.array(toolPattern).min(1),
    /** Asked for each incident, once for each of its services; the answers are shown as quotes. */
    ask: z.array(ask).max(10).default([]),
    timeoutMs: milliseconds(10_000),
    /** Of one answer. */
    maxBytes: z.number().int().min(100).max(1_000_000).default(16_384),
    callsPerMinute: z.number().int().min(1).max(6000).default(60),
  })
  .superRefine((given, context) => {
    const say = (path: PropertyKey[], message: string): void => context.addIssue({ code: 'custom', path, message })
    if ((given.command === undefined) === (given.url === undefined)) say([], 'needs either command or url')
    if (given.url !== undefined && (given.args.length > 0 || Object.keys(given.env).length > 0))
      say(['url'], 'args and env belong to a command')
    if (given.command !== undefined && Object.keys(given.headers).length > 0)
      say(['headers'], 'headers belong to a url; give a command its secrets in env')
    for (const [i, one] of given.ask.entries()) {
      if (!given.tools.some((pattern) => matchesTool(pattern, one.tool)))
        say(['ask', i, 'tool'], `${one.tool} is not among tools, so it may not be called`)
      const unknown = Object.values(one.arguments)
        .flatMap((value) => (typeof value === 'string' ? placeholdersOf(value) : []))
        .find((placeholder) => !ALERT_PLACEHOLDERS.some((known) => known === placeholder))
      if (unknown !== undefined)
        say(
          ['ask', i, 'arguments'],
          `{${unknown}} is not known; there are ${ALERT_PLACEHOLDERS.map((known) => `{${known}}`).join(', ')}`,
        )
    }
  })

export const mcpSources = z.record(name, server).default({})
