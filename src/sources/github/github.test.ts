import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Secret } from '../../core/secret.ts'
import { CHANGE_SHOP, changeSourceContract } from '../change-source-contract.ts'
import { type AnsweringServer, type Asked, startAnswering } from '../testing/answering-server.ts'
import { createGithubSource, type GithubRepository } from './github.ts'

const never = new AbortController().signal
const REPOSITORY: GithubRepository = { name: 'octocat/example', service: 'checkout', read: ['deployments'] }
const source = (url: string, repository: Partial<GithubRepository> = {}, token?: Secret) =>
  createGithubSource({ url, token, repositories: [{ ...REPOSITORY, ...repository }], timeoutMs: 20_000 })

/** The examples of GitHub's REST API documentation, without the addresses in them. */
const octocat = { login: 'octocat', id: 1, node_id: 'MDQ6VXNlcjE=', type: 'User', site_admin: false }
const DEPLOYMENT = {
  id: 1,
  node_id: 'MDEwOkRlcGxveW1lbnQx',
  sha: 'a84d88e7554fc1fa21bcbc4efae3c782a70d2b9d',
  ref: 'topic-branch',
  task: 'deploy',
  payload: {},
  original_environment: 'staging',
  environment: 'production',
  description: 'Deploy request from hubot',
  creator: octocat,
  created_at: '2012-07-20T01:19:13Z',
  updated_at: '2012-07-20T01:19:13Z',
  transient_environment: false,
  production_environment: true,
}
const RELEASE = {
  id: 1,
  tag_name: 'v1.0.0',
  target_commitish: 'master',
  name: 'v1.0.0',
  body: 'Description of the release',
  draft: false,
  prerelease: false,
  created_at: '2013-02-27T19:35:32Z',
  published_at: '2013-02-27T19:35:32Z',
  author: octocat,
  assets: [],
}
const who = { name: 'Monalisa Octocat', email: 'support@github.com', date: '2011-04-14T16:00:49Z' }
const COMMIT = {
  sha: '6dcb09b5b57875f334f61aebed695e2e4193db5e',
  commit: { author: who, committer: who, message: 'Fix all the bugs\n\nand more', comment_count: 0 },
  author: octocat,
  committer: octocat,
}

/** Pages of a list that GitHub keeps newest first, narrowed by since and until where it is. */
function pageOf<T>(list: readonly T[], { url }: Asked, timeOf: (one: T) => string): readonly T[] {
  const [since, until] = [url.searchParams.get('since'), url.searchParams.get('until')]
  const at = (one: T) => Date.parse(timeOf(one))
  const within = list.filter(
    (one) => (since === null || at(one) >= Date.parse(since)) && (until === null || at(one) <= Date.parse(until)),
  )
  const [size, page] = [Number(url.searchParams.get('per_page')), Number(url.searchParams.get('page'))]
  return [...within].sort((a, b) => at(b) - at(a)).slice((page - 1) * size, page * size)
}

describe.each(['deployments', 'releases', 'commits'] as const)('GitHub: %s', (feed) => {
  let server: AnsweringServer
  beforeAll(async () => {
    const entries = CHANGE_SHOP.map(({ at, author, summary }, id) => {
      const time = new Date(at).toISOString().replace('.000Z', 'Z')
      const sha = String(id).padStart(40, 'a')
      switch (feed) {
        case 'deployments':
          return {
            time,
            of: { ...DEPLOYMENT, id, sha, creator: { login: author }, description: summary, created_at: time },
          }
        case 'releases':
          return { time, of: { ...RELEASE, id, author: { login: author }, name: summary, published_at: time } }
        case 'commits':
          return {
            time,
            of: {
              sha,
              author: null,
              commit: { message: summary, author: { name: author }, committer: { date: time } },
            },
          }
      }
    })
    server = await startAnswering((asked) =>
      asked.url.pathname === `/repos/octocat/example/${feed}`
        ? pageOf(entries, asked, ({ time }) => time).map(({ of }) => of)
        : [],
    )
  })
  afterAll(() => server[Symbol.asyncDispose]())
  changeSourceContract(`github, ${feed}`, () => source(server.url, { read: [feed] }))
})

test('the documented answers are read', async () => {
  await using server = await startAnswering(({ url }) =>
    url.pathname.endsWith('/deployments') ? [DEPLOYMENT] : url.pathname.endsWith('/releases') ? [RELEASE] : [COMMIT],
  )
  const from = source(server.url, { read: ['deployments', 'releases', 'commits'] })
  expect(await from.read({ fromMs: 0, toMs: Date.UTC(2026, 0) }, never)).toEqual([
    {
      id: 'github:octocat/example:commits:6dcb09b5b57875f334f61aebed695e2e4193db5e',
      at: Date.parse('2011-04-14T16:00:49Z'),
      service: 'checkout',
      kind: 'other',
      summary: 'Fix all the bugs',
      to: '6dcb09b5b578',
      author: 'octocat',
    },
    {
      id: 'github:octocat/example:deployments:1',
      at: Date.parse('2012-07-20T01:19:13Z'),
      service: 'checkout',
      kind: 'deploy',
      summary: 'Deployment of topic-branch to production: Deploy request from hubot',
      to: 'a84d88e7554f',
      author: 'octocat',
    },
    {
      id: 'github:octocat/example:releases:1',
      at: Date.parse('2013-02-27T19:35:32Z'),
      service: 'checkout',
      kind: 'deploy',
      summary: 'Release v1.0.0',
      to: 'v1.0.0',
      author: 'octocat',
    },
  ])
})

test('it asks as documented, with its token, and only for the environment and branch that are configured', async () => {
  await using server = await startAnswering(({ url }) =>
    url.pathname.endsWith('/deployments') ? [DEPLOYMENT, { ...DEPLOYMENT, id: 2, environment: 'staging' }] : [],
  )
  const more = { read: ['deployments', 'commits'] as const, environment: 'production', branch: 'release/1' }
  const changes = await source(`${server.url}/api/v3/`, more, new Secret('ghp_x')).read(
    { fromMs: 0, toMs: Date.UTC(2026, 0) },
    never,
  )
  expect(changes.map(({ id }) => id)).toEqual(['github:octocat/example:deployments:1'])
  expect(server.asked.map(({ method, url }) => `${method} ${url.pathname}${url.search}`)).toEqual([
    'GET /api/v3/repos/octocat/example/deployments?environment=production&per_page=100&page=1',
    'GET /api/v3/repos/octocat/example/commits?since=1970-01-01T00%3A00%3A00.000Z&until=2026-01-01T00%3A00%3A00.000Z&sha=release%2F1&per_page=100&page=1',
  ])
  expect(server.asked[0]?.headers).toMatchObject({ authorization: 'Bearer ghp_x', 'user-agent': 'midwatch' })
})

test.each([
  [
    403,
    { message: "API rate limit exceeded for 203.0.113.7. (But here's the good news…)" },
    /its rate limit is used up/,
  ],
  [
    401,
    { message: 'Bad credentials', documentation_url: 'https://docs.github.com/rest' },
    /credentials are not accepted/,
  ],
  [404, { message: 'Not Found', status: '404' }, /answered 404/],
])('a refusal with %s is told', async (status, body, sentence) => {
  await using server = await startAnswering((_asked, response) => {
    response.writeHead(status).end(JSON.stringify(body))
  })
  const failure = source(server.url).read({ fromMs: 0, toMs: 1 }, never)
  await expect(failure).rejects.toThrow(/^GitHub at /)
  await expect(failure).rejects.toThrow(sentence)
  await expect(failure).rejects.toMatchObject({ cause: { message: body.message } })
})
