// What GitHub's REST API tells of deployments, releases and commits, as changes. (docs.github.com/en/rest)
import { z } from 'zod'
import type { Change } from '../../core/telemetry.ts'

const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))
const account = z.object({ login: z.string() }).nullish()

const deployment = z.object({
  id: z.number(),
  sha: z.string(),
  ref: z.string(),
  environment: z.string(),
  description: z.string().nullish(),
  creator: account,
  created_at: time,
})
const release = z.object({
  id: z.number(),
  tag_name: z.string(),
  name: z.string().nullish(),
  draft: z.boolean(),
  author: account,
  published_at: time.nullable(),
})
const commit = z.object({
  sha: z.string(),
  commit: z.object({
    message: z.string(),
    author: z.object({ name: z.string() }).nullish(),
    committer: z.object({ date: time }),
  }),
  author: account,
})

export type Feed = 'deployments' | 'releases' | 'commits'

/** Whose changes they are, and what names them. */
export interface Subject {
  readonly repository: string
  readonly service: string
  readonly environment?: string | undefined
}

/** One page: how many entries it had, the changes among them, and the oldest time. Throws for what is no such page. */
export interface FeedPage {
  readonly entries: number
  readonly changes: readonly Change[]
  readonly oldestMs: number
}

export function readFeed(feed: Feed, json: unknown, subject: Subject): FeedPage {
  switch (feed) {
    case 'deployments': {
      const all = z.array(deployment).parse(json)
      const wanted = all.filter(({ environment }) => environment === (subject.environment ?? environment))
      const changes = wanted.map(({ id, sha, ref, environment, description, creator, created_at }) => ({
        ...common(subject, feed, String(id), created_at, creator?.login),
        kind: 'deploy' as const,
        summary: `Deployment of ${ref} to ${environment}${description ? `: ${firstLine(description)}` : ''}`,
        to: sha.slice(0, 12),
      }))
      return page(
        all.length,
        changes,
        all.map((one) => one.created_at),
      )
    }
    case 'releases': {
      const all = z.array(release).parse(json)
      const changes = all.flatMap(({ id, tag_name, name, draft, author, published_at }) =>
        draft || published_at === null
          ? []
          : {
              ...common(subject, feed, String(id), published_at, author?.login),
              kind: 'deploy' as const,
              summary: `Release ${tag_name}${name && name !== tag_name ? `: ${firstLine(name)}` : ''}`,
              to: tag_name,
            },
      )
      // Listed by when they were made, which may be long before they were published: no page says that the next is too old.
      return page(all.length, changes, [])
    }
    case 'commits': {
      const all = z.array(commit).parse(json)
      const changes = all.map(({ sha, commit: { message, author: written, committer }, author }) => ({
        ...common(subject, feed, sha, committer.date, author?.login ?? written?.name),
        kind: 'other' as const,
        summary: firstLine(message) || `commit ${sha.slice(0, 12)}`,
        to: sha.slice(0, 12),
      }))
      return page(all.length, changes, [])
    }
  }
}

const page = (entries: number, changes: readonly Change[], times: readonly number[]): FeedPage => ({
  entries,
  changes,
  oldestMs: times.length === 0 ? Number.POSITIVE_INFINITY : Math.min(...times),
})

const common = ({ repository, service }: Subject, feed: Feed, id: string, at: number, author: string | undefined) => ({
  id: `github:${repository}:${feed}:${id}`,
  at,
  service,
  ...(author === undefined ? {} : { author }),
})

const firstLine = (text: string): string => (text.split('\n')[0] ?? '').trim().slice(0, 500)
