// One message an incident and one reply a step, also where a crash or a lost answer leaves open whether Slack took it. A
// message carries the incident's id and its step as metadata; before one is posted that may be there already, the channel or
// the thread is looked through for it. The intention to post the first message is kept before it is posted, so that only a
// try that began is looked for.
import type { News } from '../channel.ts'
import { type SlackClient, SlackCallError } from './client.ts'
import type { Identity } from './identity.ts'
import type { Block } from './mrkdwn.ts'
import type { ResolvePlace } from './places.ts'

export interface Post {
  /** What stands in notifications, and for whoever cannot see blocks. */
  readonly text: string
  readonly blocks: readonly Block[]
}

export interface Told {
  /** The one message, as it is to be now. */
  readonly message: Post
  /** What this news adds to its thread. */
  readonly reply: Post | undefined
}

export interface PostOnceDeps {
  readonly client: SlackClient
  readonly places: ResolvePlace
  readonly identity: Identity
}

type OfNews = Pick<News, 'incident' | 'step' | 'trace' | 'leave'>

const EVENT = 'midwatch_incident'
/** The step of the message itself. */
const MESSAGE = 'incident'
const PAGE = 200
const MOST_PAGES = 50
/** How far Slack's clock may be from ours. */
const SKEW_SECONDS = 3600

/** A person deleted it, or it cannot be changed any more. */
const GONE = new Set(['message_not_found', 'cant_update_message', 'edit_window_closed'])
const TOO_MUCH = new Set([
  'msg_too_long',
  'msg_blocks_too_long',
  'invalid_blocks',
  'invalid_blocks_format',
  'too_many_blocks',
])

/** Throws AppError. `place`: where a new message goes, as people call it. */
export async function postOnce(
  deps: PostOnceDeps,
  news: OfNews,
  { place, told: { message, reply } }: { readonly place: string; readonly told: Told },
  signal: AbortSignal,
): Promise<void> {
  try {
    const before = news.trace && parseReference(news.trace.reference)
    const title = news.trace?.title ?? place
    const channel = before?.channel ?? (await deps.places(place, signal))
    const thread: Thread = { deps, news, channel, title, signal }
    const ts = await putMessage(thread, before, message)
    if (!reply) return
    // Under a message that is new there is nothing yet.
    const isThere = ts === before?.ts && (await findReply(thread, ts)) !== undefined
    if (!isThere) await send(thread, reply, news.step, ts)
  } catch (error) {
    throw error instanceof SlackCallError ? error.failure.error : error
  }
}

interface Thread {
  readonly deps: PostOnceDeps
  readonly news: OfNews
  readonly channel: string
  readonly title: string
  readonly signal: AbortSignal
}

interface Reference {
  readonly channel: string
  /** Undefined while it is not known whether it was posted. */
  readonly ts: string | undefined
}

/** `C0123ABCD:1790000000.000100`, or `C0123ABCD:?` from before it is known. */
function parseReference(reference: string): Reference {
  const [channel = '', ts] = reference.split(':')
  return { channel, ts: ts === '?' ? undefined : ts }
}

async function putMessage(thread: Thread, before: Reference | undefined, message: Post): Promise<string> {
  const { news, channel } = thread
  const known = before?.ts ?? (before ? await findMessage(thread) : undefined)
  if (known !== undefined) {
    const isChanged = await change(thread, known, message)
    if (isChanged) {
      if (known !== before?.ts) await leave(thread, known)
      return known
    }
  }
  await news.leave({ reference: `${channel}:?`, title: thread.title, url: null })
  const ts = await send(thread, message, MESSAGE)
  await leave(thread, ts)
  return ts
}

async function leave({ deps: { client }, news, channel, title, signal }: Thread, ts: string): Promise<void> {
  const reference = `${channel}:${ts}`
  await news.leave({ reference, title, url: null })
  // Where people open it is good to know, and no reason to tell anything again.
  const link = await client
    .call(title, 'chat.getPermalink', (web) => web.chat.getPermalink({ channel, message_ts: ts }), signal)
    .catch(() => undefined)
  if (link?.permalink !== undefined) await news.leave({ reference, title, url: link.permalink })
}

/** Nothing of it is unfurled, and nobody is called by it. */
const QUIET = { parse: 'none', link_names: false, unfurl_links: false, unfurl_media: false } as const

async function send(thread: Thread, post: Post, step: string, threadTs?: string): Promise<string> {
  const { deps, news, channel, title, signal } = thread
  const metadata = { event_type: EVENT, event_payload: { id: news.incident.id, step } }
  const answer = await orShorter(post, (body) =>
    deps.client.call(
      title,
      'chat.postMessage',
      (web) =>
        web.chat.postMessage({
          ...QUIET,
          channel,
          ...body,
          metadata,
          ...(threadTs === undefined ? {} : { thread_ts: threadTs }),
        }),
      signal,
    ),
  )
  return answer.ts ?? ''
}

/** False where the message is gone. */
async function change({ deps, news, channel, title, signal }: Thread, ts: string, post: Post): Promise<boolean> {
  const metadata = { event_type: EVENT, event_payload: { id: news.incident.id, step: MESSAGE } }
  const { parse, link_names } = QUIET
  try {
    await orShorter(post, (body) =>
      deps.client.call(
        title,
        'chat.update',
        (web) => web.chat.update({ parse, link_names, channel, ts, ...body, metadata }),
        signal,
      ),
    )
    return true
  } catch (error) {
    if (error instanceof SlackCallError && GONE.has(error.failure.code ?? '')) return false
    throw error
  }
}

interface Body {
  readonly text: string
  readonly blocks: Block[]
}

/** Should Slack find it too long in spite of all, its text alone is told rather than nothing. */
async function orShorter<T>({ text, blocks }: Post, put: (body: Body) => Promise<T>): Promise<T> {
  const bodyOf = (those: readonly Block[]): Body => ({ text, blocks: [...those] })
  try {
    return await put(bodyOf(blocks))
  } catch (error) {
    if (!(error instanceof SlackCallError) || !TOO_MUCH.has(error.failure.code ?? '')) throw error
    return await put(bodyOf([]))
  }
}

interface Found {
  readonly ts?: string
  readonly bot_id?: string
  readonly metadata?: { readonly event_type?: string; readonly event_payload?: Readonly<Record<string, unknown>> }
}

interface Page {
  readonly messages?: readonly Found[]
  readonly response_metadata?: { readonly next_cursor?: string }
}

function findMessage({ deps, news, channel, title, signal }: Thread): Promise<string | undefined> {
  const oldest = String(Math.floor(news.incident.openedAt / 1000) - SKEW_SECONDS)
  return find(deps, news.incident.id, MESSAGE, signal, (cursor) =>
    deps.client.call(
      title,
      'conversations.history',
      (web) =>
        web.conversations.history({
          channel,
          oldest,
          limit: PAGE,
          include_all_metadata: true,
          ...(cursor === undefined ? {} : { cursor }),
        }) as Promise<Page>,
      signal,
    ),
  )
}

function findReply({ deps, news, channel, title, signal }: Thread, ts: string): Promise<string | undefined> {
  return find(deps, news.incident.id, news.step, signal, (cursor) =>
    deps.client.call(
      title,
      'conversations.replies',
      (web) =>
        web.conversations.replies({
          channel,
          ts,
          limit: PAGE,
          include_all_metadata: true,
          ...(cursor === undefined ? {} : { cursor }),
        }) as Promise<Page>,
      signal,
    ),
  )
}

async function find(
  { identity }: PostOnceDeps,
  id: string,
  step: string,
  signal: AbortSignal,
  read: (cursor: string | undefined) => Promise<Page>,
): Promise<string | undefined> {
  // Another app could write the same metadata to keep us from telling.
  const { botId } = await identity(signal)
  const isIt = ({ bot_id, metadata }: Found): boolean => {
    const { event_type, event_payload: payload = {} } = metadata ?? {}
    return bot_id === botId && event_type === EVENT && payload['id'] === id && payload['step'] === step
  }
  let cursor: string | undefined
  for (let page = 0; page < MOST_PAGES; page++) {
    const { messages = [], response_metadata } = await read(cursor)
    const found = messages.find(isIt)?.ts
    if (found !== undefined) return found
    cursor = response_metadata?.next_cursor
    if (!cursor) return undefined
  }
  return undefined
}
