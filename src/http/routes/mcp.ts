// `/mcp`: Midwatch as an MCP server over Streamable HTTP. A POST is one message, answered as JSON. There is no session and
// nothing is pushed, so GET and DELETE are answered 405, as the specification has it for servers without either.
import { AppError } from '../../core/errors.ts'
import { parseJson } from '../../core/parse.ts'
import type { McpAnswering } from '../../mcp/server.ts'
import type { Exchange, Reply, Route } from '../exchange.ts'

const MAX_BODY_BYTES = 256 * 1024
/** What a key needs to see any of the tools; each asks for its own. */
const SCOPES = ['incidents:read', 'incidents:approve', 'alerts:write', 'rag:read'] as const
const PATH = '/mcp'

/** `POST /mcp`, and `GET` and `DELETE` which say that there is nothing to stream or to end. */
export function mcpRoutes(mcp: McpAnswering): Route[] {
  const notHere = (method: 'GET' | 'DELETE', why: string): Route => ({
    method,
    path: PATH,
    scope: SCOPES,
    handle: async () => ({
      status: 405,
      headers: { allow: 'POST' },
      json: { jsonrpc: '2.0', id: null, error: { code: -32_000, message: why } },
    }),
  })
  return [
    {
      method: 'POST',
      path: PATH,
      scope: SCOPES,
      maxBodyBytes: MAX_BODY_BYTES,
      handle: (exchange) => post(mcp, exchange),
    },
    notHere('GET', 'This server pushes nothing: there is no stream to open.'),
    notHere('DELETE', 'This server keeps no session: there is none to end.'),
  ]
}

async function post(mcp: McpAnswering, exchange: Exchange): Promise<Reply> {
  const body = parseJson(await exchange.body())
  // Since 2025-06-18 the protocol has none, and one would multiply the work that a request may ask for.
  if (Array.isArray(body)) throw new AppError('malformed', 'Send one message a request, not a batch.')
  const headers = new Headers()
  for (const [name, value] of Object.entries(exchange.headers)) if (typeof value === 'string') headers.set(name, value)
  const request = new Request(exchange.url, { method: 'POST', headers })
  const response = await mcp.answer(request, body, exchange.caller, exchange.signal)
  const type = response.headers.get('content-type')
  return {
    status: response.status,
    body: await response.text(),
    ...(type === null ? {} : { headers: { 'content-type': type } }),
  }
}
