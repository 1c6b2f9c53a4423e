import { afterEach, beforeEach, expect, test } from 'vitest'
import { configSchema } from '../../../config/schema.ts'
import { examineSlack } from './examine.ts'
import { BOT_TOKEN, type SlackServer, startSlack } from './testing/slack-server.ts'

let slack: SlackServer
beforeEach(async () => {
  slack = await startSlack()
})
afterEach(() => slack.close())

const examine = (more: Record<string, unknown> = {}): Promise<string> => {
  const given = { botToken: BOT_TOKEN, channel: '#oncall', statusChannel: '#status', apiUrl: slack.apiUrl, ...more }
  const { slack: config } = configSchema.parse({ agent: { notify: { slack: given } } }).agent.notify
  return config ? examineSlack(config, new AbortController().signal) : Promise.reject(new Error('no slack'))
}

test('a token that works says who it is and where it can tell', async () => {
  expect(await examine()).toBe('@midwatch of Acme can tell in #oncall and #status')
})

test('a token that Slack does not know, and a channel that is not there, are said with what to do', async () => {
  await expect(examine({ botToken: 'xoxb-wrong' })).rejects.toThrow('Copy the "Bot User OAuth Token"')
  await expect(examine({ statusChannel: '#nowhere' })).rejects.toThrow('can see no channel #nowhere')
})

test('a scope that is lacking is named', async () => {
  slack.fateOf = (method) =>
    method === 'auth.test'
      ? { kind: 'answer', headers: { 'x-oauth-scopes': 'chat:write' }, json: { ok: true, team_id: 'T', bot_id: 'B' } }
      : { kind: 'serve' }
  await expect(examine()).rejects.toThrow('lacks channels:read, channels:history')
})

test('a token of another kind is found before anything starts', () => {
  expect(() => examine({ botToken: 'xapp-1' })).toThrow('must be the Bot User OAuth Token, which begins with xoxb-')
  expect(() => examine({ signingSecret: 'a'.repeat(32), appToken: 'xapp-1' })).toThrow(
    'give the one that the app is set to',
  )
})
