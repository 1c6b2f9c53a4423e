// Messages of Slack that people or bots write about trouble: an event of its Events API, an outgoing webhook's form, or an
// incoming webhook's message sent here instead. A colour or a mark says how bad it is; text without any such sign is kept.
// https://docs.slack.dev/reference/events/message
import { z } from 'zod'
import { completeAlert, type IncomingAlert, notice, notUnderstood } from '../../incoming-alert.ts'
import { isObject, opened, part, parts, text } from '../loose.ts'
import type { JsonObject, Sender } from '../sender.ts'
import { readPlainText } from '../text-rules.ts'
import { wordIn } from '../words.ts'
import { parseAnyTime } from '../../alert-times.ts'

export const slack: Sender = {
  name: 'slack',
  title: 'Slack',
  recognises: (body) =>
    (isObject(body['event']) && body['event']['type'] === 'message') ||
    ('attachments' in body && ('text' in body || 'channel' in body)) ||
    ('blocks' in body && 'text' in body) ||
    ('channel_name' in body && 'text' in body),
  read: (body, { nowMs }) => ({ alerts: [readBody(body, nowMs)] }),
  readText: (message, { nowMs }) => ({ alerts: [readMessage({ text: message }, message, nowMs)] }),
}

function readBody(body: JsonObject, nowMs: number): IncomingAlert {
  if (body['type'] === 'url_verification') return notice('Slack', 'a check of the address', body, nowMs)
  const event = opened(body['event'])
  const message = isObject(event) ? event : body
  const subtype = message['subtype']
  if (typeof subtype === 'string' && subtype !== 'bot_message' && subtype !== 'thread_broadcast')
    return notice('Slack', `${subtype} is no new message`, body, nowMs)
  return readMessage(message, body, nowMs)
}

const shape = z.object({
  text: text,
  ts: text,
  timestamp: text,
  channel: text,
  channel_name: text,
  username: text,
  attachments: parts({
    color: text,
    title: text,
    title_link: text,
    text,
    fallback: text,
    pretext: text,
    fields: parts({ title: text, value: text }),
  }),
  blocks: parts({ type: text, text: part({ text }), fields: parts({ text }) }),
})

function readMessage(given: JsonObject, raw: unknown, nowMs: number): IncomingAlert {
  const message = shape.parse(given)
  const [attachment] = message.attachments
  const heading = message.blocks.find(({ type }) => type === 'header')?.text.text
  const subject = attachment?.title ?? heading
  const body = [
    message.text,
    attachment?.pretext,
    attachment?.text ?? attachment?.fallback,
    ...(attachment?.fields ?? []).map(({ title, value }) => `${title ?? ''}: ${value ?? ''}`),
    ...message.blocks
      .filter(({ type }) => type !== 'header')
      .flatMap(({ text: inner, fields }) => [inner.text, ...fields.map((field) => field.text)]),
  ]
    .filter((line) => line !== undefined)
    .map(plain)
    .join('\n')
  const said = readPlainText({ subject: subject === undefined ? undefined : plain(subject), body })
  const color = wordIn(COLORS, attachment?.color?.toLowerCase())
  if (said === undefined || (!said.telling && color === undefined))
    return notUnderstood('Slack', 'the message does not say that anything is wrong', raw, nowMs)
  return completeAlert(
    {
      ...said,
      severity: said.severity ?? color?.severity,
      status: color?.status === 'resolved' ? 'resolved' : said.status,
      toldAtMs: parseAnyTime(message.ts ?? message.timestamp),
      labels: { ...said.labels, channel: message.channel_name ?? message.channel },
      identifiedBy: { name: said.name, channel: message.channel_name ?? message.channel, host: said.labels['host'] },
      urls: [attachment?.title_link, ...said.urls],
    },
    nowMs,
  )
}

const COLORS: Readonly<Record<string, { severity?: string; status?: 'resolved' }>> = {
  danger: { severity: 'error' },
  warning: { severity: 'warning' },
  good: { status: 'resolved' },
  '#d63232': { severity: 'error' },
  '#36a64f': { status: 'resolved' },
}

const MAX_READ = 20_000

/** Slack's markup as what it shows: `<https://x|more>` → `more https://x`, `*bold*` → `bold`, `:fire:` → nothing. */
const plain = (marked: string): string =>
  marked
    .slice(0, MAX_READ)
    .replaceAll(/<(https?:\/\/[^|>]{1,2000})\|([^>]{1,500})>/g, '$2 $1')
    .replaceAll(/<(https?:\/\/[^>]{1,2000})>/g, '$1')
    .replaceAll(/:[a-z0-9_+-]{2,40}:/g, '')
    .replaceAll(/\*([^*\n]{1,500})\*/g, '$1')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .trim()
