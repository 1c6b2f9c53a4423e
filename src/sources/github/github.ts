// Changes out of GitHub, or a GitHub Enterprise Server: what its REST API lists of deployments, releases and commits for the
// configured repositories. Only lists are read; a token that may read the repositories' contents and deployments is enough.
import { z } from 'zod'
import type { Secret } from '../../core/secret.ts'
import type { Change, ChangeSource } from '../../core/telemetry.ts'
import { type Answer, connectHttpApi, type HttpApi, readAnswer } from '../http-api.ts'
import { type Feed, readFeed } from './answers.ts'

export interface GithubRepository {
  /** `owner/name`. */
  readonly name: string
  readonly service: string
  readonly read: readonly Feed[]
  /** Whose commits are read; the default branch's unless told. */
  readonly branch?: string | undefined
  /** Only deployments to that. */
  readonly environment?: string | undefined
}

export interface GithubOptions {
  readonly url: string
  readonly token?: Secret | undefined
  readonly repositories: readonly GithubRepository[]
  readonly timeoutMs?: number
}

const PAGE_SIZE = 100
/** More than a thousand changes are no clue. */
const MAX_PAGES = 10
const MAX_BYTES = 16 * 1024 * 1024

export function createGithubSource(options: GithubOptions): ChangeSource {
  const api = connectHttpApi({
    kind: 'GitHub',
    url: options.url,
    bearerToken: options.token,
    headers: { 'user-agent': 'midwatch', 'x-github-api-version': '2022-11-28' },
    timeoutMs: options.timeoutMs ?? 10_000,
    maxBytes: MAX_BYTES,
  })

  const readAll = async (
    { name, service, branch, environment }: GithubRepository,
    feed: Feed,
    { fromMs, toMs }: { fromMs: number; toMs: number },
    signal: AbortSignal,
  ): Promise<readonly Change[]> => {
    const found: Change[] = []
    const narrowed: [string, string][] =
      feed === 'commits'
        ? [
            ['since', new Date(Math.floor(fromMs / 1000) * 1000).toISOString()],
            ['until', new Date(Math.ceil(toMs / 1000) * 1000).toISOString()],
            ...(branch === undefined ? [] : [['sha', branch] as [string, string]]),
          ]
        : feed === 'deployments' && environment !== undefined
          ? [['environment', environment]]
          : []
    for (let page = 1; page <= MAX_PAGES; page++) {
      const parameters = [...narrowed, ['per_page', String(PAGE_SIZE)], ['page', String(page)]] as [string, string][]
      const answer = await api.ask({ path: `/repos/${name}/${feed}`, parameters }, signal)
      refuseLimit(api, answer)
      const read = readAnswer(
        api,
        answer,
        (json) => readFeed(feed, json, { repository: name, service, environment }),
        said,
      )
      found.push(...read.changes)
      if (read.entries < PAGE_SIZE || read.oldestMs < fromMs) break
    }
    return found.filter(({ at }) => at >= fromMs && at <= toMs)
  }

  return {
    name: 'github',
    async read(range, signal) {
      const found: Change[] = []
      // One after the other: GitHub asks not to be called in parallel.
      for (const repository of options.repositories)
        for (const feed of repository.read) found.push(...(await readAll(repository, feed, range, signal)))
      return found.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))
    },
  }
}

const message = z.object({ message: z.string() })
const said = (json: unknown): string | undefined => message.safeParse(json).data?.message

function refuseLimit(api: HttpApi, { status, json }: Answer): void {
  if ((status === 403 || status === 429) && /rate limit/i.test(said(json) ?? ''))
    throw api.fail(
      `answered ${status}: its rate limit is used up. Configure a token, or fewer repositories`,
      new Error(said(json)),
    )
}
