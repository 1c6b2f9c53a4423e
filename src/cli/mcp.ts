// `midwatch mcp`: for programs that speak MCP over standard input and output. Every message is handed to the running
// Midwatch's own `/mcp`, with the key from MIDWATCH_KEY, and its answers are handed back: the same tools, the same scopes,
// and nothing is decided here. Standard output carries messages of the protocol and nothing else.
/* oxlint-disable unicorn/prefer-add-event-listener -- the transports of the SDK have no other way to be listened to */
import { Command } from 'commander'
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js'
import { describeError } from '../core/errors.ts'
import { type ServerOptions, serverUrl, withServerOptions } from './client.ts'

export function mcpCommand(): Command {
  return withServerOptions(new Command('mcp'))
    .description('speak MCP (Model Context Protocol) on standard input and output, for a running Midwatch')
    .action(async (options: ServerOptions) => bridge(serverUrl(options), process.env.MIDWATCH_KEY))
}

async function bridge(base: string, key: string | undefined): Promise<void> {
  const [{ StdioServerTransport }, { StreamableHTTPClientTransport }] = await Promise.all([
    import('@modelcontextprotocol/sdk/server/stdio.js'),
    import('@modelcontextprotocol/sdk/client/streamableHttp.js'),
  ])
  const here = new StdioServerTransport()
  const there = new StreamableHTTPClientTransport(new URL('/mcp', base), {
    requestInit: { headers: key === undefined ? {} : { authorization: `Bearer ${key}` } },
  })
  const over = Promise.withResolvers<void>()
  const underWay = new Set<Promise<void>>()

  there.onmessage = (message) => {
    // The version that was agreed on has to stand in every later request.
    if ('result' in message && typeof message.result['protocolVersion'] === 'string')
      there.setProtocolVersion(message.result['protocolVersion'])
    void here.send(message).catch(complain)
  }
  const handOn = async (message: JSONRPCMessage): Promise<void> => {
    try {
      await there.send(message)
    } catch (error) {
      await here.send(failure(message, base, key, error))
    }
  }
  here.onmessage = (message) => {
    const handing = handOn(message)
      .catch(complain)
      .finally(() => underWay.delete(handing))
    underWay.add(handing)
  }
  here.onerror = complain
  here.onclose = () => over.resolve()
  process.stdin.once('end', () => over.resolve())
  await there.start()
  await here.start()
  await over.promise
  // Whoever closed their end may still want the answers to what they asked.
  await Promise.all(underWay)
  await there.close()
  await here.close()
}

const complain = (error: unknown): void => console.error(`midwatch: ${describeError(error)}`)

/** What the client is told of a message that could not be handed on; a notification is answered by nothing. */
function failure(message: JSONRPCMessage, base: string, key: string | undefined, error: unknown): JSONRPCMessage {
  const text = whyNot(base, key, error)
  if (!('id' in message) || !('method' in message)) throw new Error(text, { cause: error })
  return { jsonrpc: '2.0', id: message.id, error: { code: -32_000, message: text } }
}

function whyNot(base: string, key: string | undefined, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const unknown = error instanceof Error && error.name === 'UnauthorizedError'
  if (code === 401 || unknown)
    return key === undefined
      ? `${base} asks for a key. Set MIDWATCH_KEY; midwatch keys create makes one.`
      : `${base} does not take the key in MIDWATCH_KEY. See: midwatch keys list`
  if (code === 403)
    return 'The key in MIDWATCH_KEY has none of the scopes incidents:read, incidents:approve, alerts:write, rag:read.'
  if (typeof code === 'number') return `${base} answered ${code}.`
  return `No Midwatch answers at ${base}. Start it, or name another with --url.`
}
