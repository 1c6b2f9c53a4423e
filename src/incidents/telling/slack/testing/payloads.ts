// What Slack sends when people press and answer (docs.slack.dev/reference/interaction-payloads), as a form that is signed
// (docs.slack.dev/authentication/verifying-requests-from-slack).
import { createHmac } from 'node:crypto'
import { type SentElement, type SentMessage, type SlackServer, TEAM } from './slack-server.ts'

export const SIGNING_SECRET = '8f742231b10e8888abcd99yyyzzz85a5'.replaceAll(/[yz]/g, '0')

export type Payload = Readonly<Record<string, unknown>>

let triggers = 0

/** A person presses a button that stands under a message. */
export function pressed(
  slack: SlackServer,
  message: SentMessage,
  button: SentElement,
  { user = 'U0ADAX', team = TEAM, userTeam = team }: { user?: string; team?: string; userTeam?: string } = {},
): Payload {
  const { channel, ts, text, blocks, bot_id } = message
  return {
    type: 'block_actions',
    user: { id: user, username: user.toLowerCase(), name: user.toLowerCase(), team_id: userTeam },
    api_app_id: 'A0APP',
    token: 'not-to-be-used',
    container: { type: 'message', message_ts: ts, channel_id: channel, is_ephemeral: false },
    trigger_id: `1.2.${++triggers}`,
    team: { id: team, domain: 'acme' },
    enterprise: null,
    is_enterprise_install: false,
    channel: { id: channel, name: 'oncall' },
    message: { bot_id, type: 'message', text, user: 'U0BOT', ts, team, blocks },
    state: { values: {} },
    response_url: `${slack.url}/respond/${triggers}`,
    actions: [{ ...button, block_id: 'midwatch_approval', type: 'button', action_ts: '1790000100.000001' }],
  }
}

/** A person sends the open question. */
export function answered(slack: SlackServer, values: Readonly<Record<string, string>>, user = 'U0ADAX'): Payload {
  const view = slack.views.at(-1) ?? {}
  const entries = Object.entries(values).map(([id, value]) => [id, { [id]: { type: 'plain_text_input', value } }])
  return {
    type: 'view_submission',
    team: { id: TEAM, domain: 'acme' },
    user: { id: user, username: 'ada', name: 'ada', team_id: TEAM },
    api_app_id: 'A0APP',
    trigger_id: `1.2.${++triggers}`,
    view: { id: 'V0VIEW', hash: '1790000100.abc', ...view, state: { values: Object.fromEntries(entries) } },
    response_urls: [],
    is_enterprise_install: false,
    enterprise: null,
  }
}

export interface SendOptions {
  readonly secret?: string
  readonly ageSeconds?: number
  readonly headers?: Readonly<Record<string, string>>
}

/** As a form in `payload`, or as JSON where it is an event. */
export function sendSigned(url: string, payload: Payload, options: SendOptions = {}): Promise<Sent> {
  const json = JSON.stringify(payload)
  return payload['type'] === 'url_verification'
    ? sendSignedBody(url, json, 'application/json', options)
    : sendSignedBody(url, new URLSearchParams({ payload: json }).toString(), FORM, options)
}

const FORM = 'application/x-www-form-urlencoded'

interface Sent {
  readonly status: number
  readonly text: string
}

export async function sendSignedBody(
  url: string,
  body: string,
  contentType: string,
  { secret = SIGNING_SECRET, ageSeconds = 0, headers = {} }: SendOptions = {},
): Promise<Sent> {
  const at = String(Math.floor(Date.now() / 1000) - ageSeconds)
  const signature = `v0=${createHmac('sha256', secret).update(`v0:${at}:${body}`).digest('hex')}`
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': contentType,
      'x-slack-request-timestamp': at,
      'x-slack-signature': signature,
      ...headers,
    },
    body,
  })
  return { status: response.status, text: await response.text() }
}
