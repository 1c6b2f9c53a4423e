// Changes out of Git repositories on this machine: the commits of a branch that is deployed from, at the time they were
// committed there. In a repository of several services a commit is a change of those whose folders it touches.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { AppError } from '../../core/errors.ts'
import type { Change, ChangeKind, ChangeSource } from '../../core/telemetry.ts'

export interface GitRepository {
  readonly path: string
  /** Branch, tag or other name of a commit. */
  readonly branch: string
  /** The service whose code it is; folder → service where it holds several. */
  readonly service?: string | undefined
  readonly folders?: Readonly<Record<string, string>> | undefined
  /** What a commit on that branch is to the running system. */
  readonly kind: ChangeKind
}

export interface GitOptions {
  readonly repositories: readonly GitRepository[]
  readonly timeoutMs?: number
}

const MAX_COMMITS = 1000
const MAX_BYTES = 16 * 1024 * 1024
/** Before each commit; a name of a file cannot hold it. */
const RECORD = '\u0001'
const FORMAT = `${RECORD}%H%x00%ct%x00%an%x00%s%x00`

const run = promisify(execFile)

export function createGitSource({ repositories, timeoutMs = 10_000 }: GitOptions): ChangeSource {
  return {
    name: 'git',
    async read({ fromMs, toMs }, signal) {
      const read = await Promise.all(
        repositories.map(async (repository) => {
          const text = await log(repository, fromMs, toMs, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]))
          return text
            .split(RECORD)
            .slice(1)
            .flatMap((record) => changesOf(record, repository))
        }),
      ).catch((error: unknown) => {
        signal.throwIfAborted()
        throw error
      })
      const within = read.flat().filter(({ at }) => at >= fromMs && at <= toMs)
      return within.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))
    },
  }
}

async function log(
  { path, branch }: GitRepository,
  fromMs: number,
  toMs: number,
  signal: AbortSignal,
): Promise<string> {
  const args = [
    '-C',
    path,
    'log',
    '--first-parent',
    '-m',
    '--name-only',
    '-z',
    `--max-count=${MAX_COMMITS}`,
    // Git compares whole seconds, and not both ends in the same way.
    `--since=${gitDate(fromMs - 1000)}`,
    `--until=${gitDate(toMs + 1000)}`,
    `--format=${FORMAT}`,
    '--end-of-options',
    branch,
    '--',
  ]
  // Nothing is written (not even the index is refreshed), nobody is asked for a password, no one's settings count.
  const env = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    LC_ALL: 'C',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TERMINAL_PROMPT: '0',
    GIT_PAGER: 'cat',
  }
  try {
    const { stdout } = await run('git', args, { env, signal, maxBuffer: MAX_BYTES })
    return stdout
  } catch (error) {
    const { stderr } = error as { stderr?: string }
    const said = stderr?.trim().split('\n')[0] ?? ''
    const reason = signal.aborted ? 'it took too long' : said === '' ? (error as Error).message : said
    throw new AppError('upstream', `The Git repository ${path} cannot be read: ${reason.slice(0, 200)}`, {
      cause: error,
    })
  }
}

/** Git takes a small number, or a time after 2099, for something else. */
const gitDate = (ms: number): string => new Date(Math.min(Math.max(ms, 86_400_000), Date.UTC(2099, 0))).toISOString()

function changesOf(record: string, { service, folders, kind }: GitRepository): Change[] {
  const [sha = '', seconds = '', author = '', summary = '', ...files] = record.split('\0')
  const services = new Set(service === undefined ? [] : [service])
  for (const file of files) {
    const name = file.replace(/^\n/, '')
    for (const [folder, owner] of Object.entries(folders ?? {}))
      if (name.startsWith(`${folder.replace(/\/+$/, '')}/`)) services.add(owner)
  }
  return [...services].map((one) => ({
    id: `git:${sha}:${one}`,
    at: Number(seconds) * 1000,
    service: one,
    kind,
    summary: summary === '' ? `commit ${sha.slice(0, 12)}` : summary,
    to: sha.slice(0, 12),
    author,
  }))
}
