// Slack as it is seen from outside (docs.slack.dev/reference): the Web API methods that Midwatch calls, with form bodies,
// `ok: false` answers, 429, cursors, metadata and the limits of Block Kit; Socket Mode; and the addresses of answers.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { acceptSocket, type TextSocket } from './web-socket.ts'

export interface SentMessage {
  readonly channel: string
  readonly ts: string
  readonly thread_ts?: string
  readonly bot_id: string
  text: string
  blocks: readonly SentBlock[]
  metadata?: unknown
  readonly asked: Readonly<Record<string, string>>
}

export interface SentBlock {
  readonly type: string
  readonly text?: { readonly type: string; readonly text: string; readonly verbatim?: boolean }
  readonly elements?: readonly SentElement[]
}

export interface SentElement {
  readonly type: string
  readonly text: string | { readonly text: string }
  readonly action_id?: string
  readonly value?: string
  readonly confirm?: unknown
}

type Args = Readonly<Record<string, string>>
type Answer = Readonly<Record<string, unknown>>

/** What becomes of a call: as always, or an answer in its place, or the connection ends before or after it was done. */
export type Fate =
  | { readonly kind: 'serve' }
  | {
      readonly kind: 'answer'
      readonly status?: number
      readonly headers?: Record<string, string>
      readonly json: Answer
    }
  | { readonly kind: 'cut-before' }
  | { readonly kind: 'cut-after' }

export interface SlackServer {
  readonly url: string
  readonly apiUrl: string
  readonly calls: { readonly method: string; readonly args: Args }[]
  /** Newest last. */
  readonly messages: SentMessage[]
  readonly channels: { id: string; name: string; is_archived: boolean; is_member: boolean }[]
  readonly users: Map<string, Answer>
  readonly views: Answer[]
  /** What was said to one person alone. */
  readonly whispers: string[]
  readonly sockets: TextSocket[]
  /** What was acknowledged over the connection. */
  readonly acks: { readonly envelope_id: string; readonly payload?: Answer }[]
  fateOf: (method: string, args: Args) => Fate
  /** How many entries a page has at most. */
  pageSize: number
  roots(): SentMessage[]
  replies(): SentMessage[]
  close(): Promise<void>
}

export const BOT_TOKEN = 'xoxb-1234-5678-abcdef'
export const APP_TOKEN = 'xapp-1-A0APP-1-abcdef'
export const TEAM = 'T0TEAM'
const BOT = { bot_id: 'B0BOT', user_id: 'U0BOT' }
const FIRST_TS = 1_790_000_000

export async function startSlack(): Promise<SlackServer> {
  const server = createServer((request, response) => void serve(slack, request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const slack: SlackServer = {
    url,
    apiUrl: `${url}/api/`,
    calls: [],
    messages: [],
    channels: [
      { id: 'C0GENERAL', name: 'general', is_archived: false, is_member: false },
      { id: 'C0ONCALL', name: 'oncall', is_archived: false, is_member: true },
      { id: 'C0STATUS', name: 'status', is_archived: false, is_member: true },
    ],
    users: new Map(),
    views: [],
    whispers: [],
    sockets: [],
    acks: [],
    fateOf: () => ({ kind: 'serve' }),
    pageSize: 1000,
    roots: () => slack.messages.filter(({ thread_ts }) => thread_ts === undefined),
    replies: () => slack.messages.filter(({ thread_ts }) => thread_ts !== undefined),
    close: async () => {
      for (const socket of slack.sockets) socket.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  server.on('upgrade', (request, socket) => {
    const text = acceptSocket(request, socket, (said) =>
      slack.acks.push(JSON.parse(said) as SlackServer['acks'][number]),
    )
    slack.sockets.push(text)
    text.send(JSON.stringify({ type: 'hello', num_connections: 1, connection_info: { app_id: 'A0APP' } }))
  })
  return slack
}

async function serve(slack: SlackServer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  const path = request.url ?? ''
  if (path.startsWith('/respond/')) {
    slack.whispers.push((JSON.parse(body) as { text: string }).text)
    response.end('ok')
    return
  }
  const method = path.replace('/api/', '')
  const args: Args = Object.fromEntries(new URLSearchParams(body))
  slack.calls.push({ method, args })
  const fate = slack.fateOf(method, args)
  if (fate.kind === 'cut-before') return void request.socket.destroy()
  if (fate.kind === 'answer') {
    response.writeHead(fate.status ?? 200, { 'content-type': 'application/json', ...fate.headers })
    return void response.end(JSON.stringify(fate.json))
  }
  const answer = answerTo(slack, method, args, request.headers.authorization ?? '')
  if (fate.kind === 'cut-after') return void request.socket.destroy()
  response.writeHead(200, {
    'content-type': 'application/json; charset=utf-8',
    'x-oauth-scopes': 'chat:write,channels:read,channels:history,users:read,users:read.email',
  })
  response.end(JSON.stringify(answer))
}

const no = (error: string): Answer => ({ ok: false, error })

function answerTo(slack: SlackServer, method: string, args: Args, authorization: string): Answer {
  const wanted = method === 'apps.connections.open' ? APP_TOKEN : BOT_TOKEN
  if (authorization !== `Bearer ${wanted}`) return no('invalid_auth')
  switch (method) {
    case 'auth.test': {
      return { ok: true, url: 'https://acme.slack.com/', team: 'Acme', user: 'midwatch', team_id: TEAM, ...BOT }
    }
    case 'apps.connections.open': {
      return { ok: true, url: `${slack.url.replace('http', 'ws')}/link/?ticket=1` }
    }
    case 'conversations.list': {
      const { page, cursor } = pageOf(slack.channels, args, slack.pageSize)
      return { ok: true, channels: page, response_metadata: { next_cursor: cursor } }
    }
    case 'users.info': {
      const user = slack.users.get(args['user'] ?? '')
      return user ? { ok: true, user } : no('user_not_found')
    }
    case 'views.open': {
      slack.views.push(JSON.parse(args['view'] ?? '{}') as Answer)
      return { ok: true, view: { id: 'V0VIEW' } }
    }
    default: {
      return inChannel(slack, method, args)
    }
  }
}

function inChannel(slack: SlackServer, method: string, args: Args): Answer {
  const channel = slack.channels.find(({ id }) => id === args['channel'])
  if (!channel) return no('channel_not_found')
  if (channel.is_archived && method.startsWith('chat.')) return no('is_archived')
  if (!channel.is_member) return no('not_in_channel')
  const here = slack.messages.filter((message) => message.channel === channel.id)
  const message = here.find(({ ts }) => ts === (args['ts'] ?? args['message_ts']))
  const blocks = JSON.parse(args['blocks'] ?? '[]') as SentBlock[]
  const wrong = whatIsWrong(blocks, args['text'] ?? '')
  switch (method) {
    case 'chat.postMessage': {
      if (wrong !== undefined) return no(wrong)
      const ts = `${FIRST_TS}.${String(slack.messages.length + 1).padStart(6, '0')}`
      const { thread_ts, text = '', metadata } = args
      slack.messages.push({
        channel: channel.id,
        ts,
        ...(thread_ts === undefined ? {} : { thread_ts }),
        bot_id: BOT.bot_id,
        text,
        blocks,
        metadata: metadata === undefined ? undefined : JSON.parse(metadata),
        asked: args,
      })
      return { ok: true, channel: channel.id, ts, message: { text } }
    }
    case 'chat.update': {
      if (!message) return no('message_not_found')
      if (wrong !== undefined) return no(wrong)
      Object.assign(message, { text: args['text'], blocks, metadata: JSON.parse(args['metadata'] ?? '{}') as unknown })
      return { ok: true, channel: channel.id, ts: message.ts, text: message.text }
    }
    case 'chat.getPermalink': {
      if (!message) return no('message_not_found')
      return { ok: true, permalink: `https://acme.slack.com/archives/${channel.id}/p${message.ts.replace('.', '')}` }
    }
    case 'conversations.history': {
      const roots = here.filter(
        ({ thread_ts, ts }) => thread_ts === undefined && Number(ts) >= Number(args['oldest'] ?? 0),
      )
      return found(roots.toReversed(), args, slack.pageSize)
    }
    case 'conversations.replies': {
      if (!message) return no('thread_not_found')
      return found([message, ...here.filter(({ thread_ts }) => thread_ts === message.ts)], args, slack.pageSize)
    }
    default: {
      return no('unknown_method')
    }
  }
}

function found(messages: readonly SentMessage[], args: Args, size: number): Answer {
  const { page, cursor } = pageOf(messages, args, size)
  const told = page.map(({ metadata, ...message }) => ({
    type: 'message',
    ...message,
    asked: undefined,
    ...(args['include_all_metadata'] === 'true' ? { metadata } : {}),
  }))
  return { ok: true, messages: told, has_more: cursor !== '', response_metadata: { next_cursor: cursor } }
}

function pageOf<T>(all: readonly T[], args: Args, size: number): { page: readonly T[]; cursor: string } {
  const from = Number(args['cursor'] ?? 0)
  const to = from + Math.min(size, Number(args['limit'] ?? 100))
  return { page: all.slice(from, to), cursor: to < all.length ? String(to) : '' }
}

/** docs.slack.dev/reference/block-kit/blocks: what is over a limit is refused whole. */
function whatIsWrong(blocks: readonly SentBlock[], text: string): string | undefined {
  if (text.length > 40_000) return 'msg_too_long'
  if (text === '' && blocks.length === 0) return 'no_text'
  const isFine = ({ type, text: own, elements = [] }: SentBlock): boolean =>
    (type !== 'section' || (own !== undefined && own.text.length >= 1 && own.text.length <= 3000)) &&
    (type !== 'context' || (elements.length >= 1 && elements.length <= 10)) &&
    (type !== 'actions' || (elements.length >= 1 && elements.length <= 25)) &&
    elements.every(isFineElement)
  return blocks.length <= 50 && blocks.every(isFine) ? undefined : 'invalid_blocks'
}

function isFineElement({ type, text, value, action_id }: SentElement): boolean {
  if (type !== 'button') return typeof text === 'string' && text.length >= 1 && text.length <= 3000
  const label = typeof text === 'string' ? text : text.text
  return label.length <= 75 && (value ?? '').length <= 2000 && (action_id ?? '').length <= 255
}
