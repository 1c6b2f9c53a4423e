import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../../../core/clock.ts'
import { Secret } from '../../../core/secret.ts'
import { type GithubServer, serveGithub } from '../testing/github-server.ts'
import { INCIDENT_TOLD, makeNews } from '../testing/news.ts'
import type { GithubCredentials } from './credentials.ts'
import { createGithub } from './github.ts'
import { plainMarkdown } from './markdown.ts'

const never = new AbortController().signal
const REPOSITORY = 'octocat/Hello-World'
const KEY = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = (type: 'publicKey' | 'privateKey'): string =>
  type === 'publicKey'
    ? KEY.publicKey.export({ type: 'spki', format: 'pem' }).toString()
    : KEY.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
const APP: GithubCredentials = { kind: 'app', appId: '7', privateKey: new Secret(pem('privateKey')) }
const TOKEN: GithubCredentials = { kind: 'token', token: new Secret('github_pat_1') }

let server: GithubServer
let clock: ManualClock
afterEach(() => server?.close())

async function github(credentials: GithubCredentials = TOKEN) {
  clock = new ManualClock(INCIDENT_TOLD.openedAt + 60_000)
  server = await serveGithub({
    repository: REPOSITORY,
    token: 'github_pat_1',
    login: 'octocat',
    now: () => clock.now(),
    app: { id: '7', slug: 'midwatch-app', publicKey: pem('publicKey') },
  })
  const options = {
    url: server.url,
    repository: REPOSITORY,
    on: 'diagnosed',
    labels: ['incident'],
    close: true,
  } as const
  return createGithub({ ...options, credentials, clock })
}

/** As somebody else, or an earlier try, would have left it. */
const leave = (body: string, login: string): void => {
  const at = clock.now()
  const state = 'open'
  server.issues.push({
    number: server.issues.length + 1,
    title: 't',
    body,
    labels: [],
    user: { login },
    comments: [],
    at,
    state,
  })
}

describe('a GitHub issue', () => {
  test('is filed with our label and a mark that no reader sees', async () => {
    const channel = await github()
    const { news, traces } = makeNews()
    expect(await channel.tell(news, never)).toBe(`Filed ${REPOSITORY}#1 in GitHub.`)
    expect(traces[0]).toEqual({
      reference: `${REPOSITORY}#1`,
      title: `${REPOSITORY}#1`,
      url: `https://github.com/${REPOSITORY}/issues/1`,
    })
    expect(server.issues[0]).toMatchObject({ title: 'HighErrorRate on storefront', labels: ['incident', 'midwatch'] })
    expect(server.issues[0]?.body).toMatch(/<!-- midwatch inc_1 diagnosed \d+ -->$/)
  })

  test('is found where its label was dropped without a word', async () => {
    const channel = await github()
    server.keepsLabels = false
    await channel.tell(makeNews().news, never)
    await channel.tell(makeNews().news, never)
    expect(server.issues).toHaveLength(1)
  })

  test('that somebody else gave our mark is not taken for ours', async () => {
    const channel = await github()
    leave('<!-- midwatch inc_1 diagnosed 1 -->', 'mallory')
    expect(await channel.tell(makeNews().news, never)).toBe(`Filed ${REPOSITORY}#2 in GitHub.`)
  })

  test('of an App is its own, with a token that is asked for once an hour', async () => {
    const channel = await github(APP)
    const { news, traces } = makeNews()
    await channel.tell(news, never)
    expect(server.issues[0]?.user.login).toBe('midwatch-app[bot]')
    const asked = (): number => server.asked.filter(({ path }) => path.endsWith('/access_tokens')).length
    const [trace] = traces
    await channel.tell(makeNews({ kind: 'escalated', ...(trace ? { trace } : {}) }).news, never)
    expect(asked()).toBe(1)
    await clock.advance(3_500_000)
    await channel.tell(
      makeNews({ kind: 'closed', ...(trace ? { trace } : {}), incident: { state: 'closed' } }).news,
      never,
    )
    expect(asked()).toBe(2)
    expect(server.issues[0]).toMatchObject({ state: 'closed', comments: [{}, {}] })
  })

  test('with a private key that is none says so, and not the key', async () => {
    const channel = await github({ kind: 'app', appId: '7', privateKey: new Secret('c0ffee') })
    const failure = channel.tell(makeNews().news, never)
    await expect(failure).rejects.toThrow('agent.tickets.github.privateKey is no private key in PEM form')
    await expect(failure).rejects.not.toThrow('c0ffee')
  })

  test('is opened again with its incident', async () => {
    const channel = await github()
    const { news, traces } = makeNews()
    await channel.tell(news, never)
    const [trace] = traces
    const about = trace ? { trace } : {}
    await channel.tell(makeNews({ kind: 'closed', at: 2e12, ...about, incident: { state: 'closed' } }).news, never)
    const again = makeNews({ kind: 'opened', step: 'opened:2', at: 2e12, ...about })
    expect(await channel.tell(again.news, never)).toBe(
      `Added to ${REPOSITORY}#1: opened. ${REPOSITORY}#1 is open again.`,
    )
    expect(server.issues[0]?.state).toBe('open')
  })

  test('waits as long as either of GitHub’s two limits says', async () => {
    const channel = await github()
    const limited = async (headers: Record<string, string>, message: string) => {
      server.faultAt = () => ({ kind: 'answer', answer: () => ({ status: 403, headers, body: { message } }) })
      return await channel.tell(makeNews().news, never).catch((error: unknown) => error)
    }
    const reset = String(clock.now() / 1000 + 90)
    expect(
      await limited(
        { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset },
        'API rate limit exceeded for user ID 1.',
      ),
    ).toMatchObject({ code: 'limited', retryAfterSeconds: 90 })
    // As GitHub words it.
    const secondary = 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.'
    expect(await limited({}, secondary)).toMatchObject({ code: 'limited', retryAfterSeconds: 60 })
    expect(await limited({ 'retry-after': '17' }, secondary)).toMatchObject({ retryAfterSeconds: 17 })
    expect(await limited({}, 'Resource not accessible by personal access token')).toMatchObject({
      code: 'upstream',
      message: expect.stringContaining('give it the permission to write issues'),
    })
  })
})

test('nothing that somebody wrote calls people, issues, pictures or links at GitHub', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z0-9@#[\](){}|!*_~`<>\\&:/.\n GH-]{0,40}$/), (text) => {
      const written = plainMarkdown(text)
      expect(written).not.toMatch(/@(?!<!-- -->)/)
      expect(written).not.toMatch(/#(?!<!-- -->)/)
      expect(written).not.toMatch(/\bGH-\d/i)
      const left = written.replaceAll('<!-- -->', '').replaceAll(/\\[^\\\w\s]|\\\\/g, '')
      expect(left).not.toMatch(/[[\]<>`!*\n]/)
    }),
  )
})
