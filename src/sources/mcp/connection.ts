/* oxlint-disable unicorn/prefer-add-event-listener -- the transports of the SDK have no other way to be listened to */
// One connection to an MCP server that is not trusted: it may hang, flood, die, or never have been what it says. Whoever
// hangs or floods is ended at once, a process by SIGKILL: the SDK would wait for it for seconds while it goes on writing.
// Nothing that a server asks of us is answered, no stream of its own is opened, and its schemas are not compiled.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { CallToolResultSchema, ListToolsResultSchema } from '@modelcontextprotocol/sdk/types.js'
import type { DeclaredTool } from './allow.ts'
import type { RawAnswer } from './answer.ts'
import { boundedFetch } from './bounded-fetch.ts'

export type ServerAddress =
  | {
      readonly kind: 'command'
      readonly command: string
      readonly args: readonly string[]
      readonly env: Readonly<Record<string, string>>
    }
  | { readonly kind: 'url'; readonly url: string; readonly headers: Readonly<Record<string, string>> }

export interface Connection {
  tools(signal: AbortSignal): Promise<readonly DeclaredTool[]>
  call(tool: string, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<RawAnswer>
  /** Why it is over; undefined while it is not. */
  over(): string | undefined
  /** At once; a second call does nothing. */
  end(): Promise<void>
}

/** Messages that a server may send between two of our questions. */
const MOST_MESSAGES = 500
/** Of a message, beside what its answer may have. */
const FRAME_BYTES = 1024 * 1024
const MOST_PAGES = 10
const MOST_TOOLS = 500

/** Throws what the SDK or the system throws; nothing is left running then. */
export async function connect(
  address: ServerAddress,
  { maxBytes, timeoutMs, version }: { readonly maxBytes: number; readonly timeoutMs: number; readonly version: string },
  signal: AbortSignal,
): Promise<Connection> {
  const transport = transportTo(address, FRAME_BYTES + 2 * maxBytes)
  const client = new Client({ name: 'midwatch', version }, { capabilities: {} })
  const options = (signal: AbortSignal) => ({ signal, timeout: timeoutMs, maxTotalTimeout: timeoutMs })
  let over: string | undefined
  let messages = 0

  const end = async (why: string): Promise<void> => {
    if (over !== undefined) return
    over = why
    if (transport instanceof StdioClientTransport && transport.pid !== null) kill(transport.pid)
    await client.close().catch(() => undefined)
  }
  const connecting = client.connect(transport, options(signal))
  // The client has put its own ears on by now.
  const hear = transport.onmessage
  transport.onmessage = (message, extra) => {
    if (over !== undefined) return
    if (++messages > MOST_MESSAGES) void end('it sent more messages than anybody asked for')
    else hear?.(message, extra)
  }
  client.onclose = () => {
    over ??= 'it ended the connection'
  }
  client.onerror = (error) => {
    // A frame that cannot be read; the answer that it should have been will never come.
    void end(error.message)
  }
  try {
    await connecting
  } catch (error) {
    await end('it could not be connected to')
    throw error
  }
  const asking = async <T>(ask: () => Promise<T>): Promise<T> => {
    messages = 0
    try {
      return await ask()
    } catch (error) {
      // An answer that says no is an answer; whoever gives none in time has hung, and what it may still send is not wanted.
      if (
        !(error instanceof Error && 'code' in error && typeof error.code === 'number' && error.code !== REQUEST_TIMEOUT)
      )
        await end('it gave no answer')
      throw error
    }
  }
  return {
    tools: (signal) =>
      asking(async () => {
        const tools: DeclaredTool[] = []
        let cursor: string | undefined
        for (let page = 0; page < MOST_PAGES && tools.length < MOST_TOOLS; page++) {
          const params = cursor === undefined ? {} : { cursor }
          const answer = await client.request({ method: 'tools/list', params }, ListToolsResultSchema, options(signal))
          tools.push(...answer.tools)
          cursor = answer.nextCursor
          if (cursor === undefined) break
        }
        return tools.slice(0, MOST_TOOLS)
      }),
    // Not `client.callTool`: that compiles schemas that the server wrote, and runs them over what the server sent.
    call: (name, args, signal) =>
      asking(() =>
        client.request(
          { method: 'tools/call', params: { name, arguments: { ...args } } },
          CallToolResultSchema,
          options(signal),
        ),
      ),
    over: () => over,
    end: () => end('it is not needed any more'),
  }
}

const REQUEST_TIMEOUT = -32_001

function transportTo(address: ServerAddress, maxBufferSize: number): Transport {
  if (address.kind === 'url')
    return new StreamableHTTPClientTransport(new URL(address.url), {
      requestInit: { headers: { ...address.headers } },
      fetch: boundedFetch(maxBufferSize),
      reconnectionOptions: {
        maxRetries: 0,
        initialReconnectionDelay: 1000,
        maxReconnectionDelay: 1000,
        reconnectionDelayGrowFactor: 1,
      },
    })
  const { command, args, env } = address
  return new StdioClientTransport({ command, args: [...args], env: { ...env }, stderr: 'ignore', maxBufferSize })
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It is gone already.
  }
}
