// A git repository: its newest tree without its history, in a folder under the data folder, read as any folder is. Git can
// run programs in many ways (hooks, filters, `ext::`, options hidden in a URL or a branch's name): it is told nothing that
// could be one, speaks only the protocols named here, and writes links as plain files.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { isIP } from 'node:net'
import { lookup } from 'node:dns/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { GIT_REF, GIT_URL } from '../../../config/rag-schema.ts'
import { AppError } from '../../../core/errors.ts'
import { sha256Hex } from '../../../core/hash.ts'
import type { Source } from '../source.ts'
import type { AddressRules } from './addresses.ts'
import type { FileChoice } from './file-choice.ts'
import { createFolderSource } from './folder.ts'

export interface GitOptions extends FileChoice {
  /** https, http, ssh or file, or `user@host:path`. */
  readonly url: string
  /** A branch or a tag; the repository's own choice where it is left out. */
  readonly ref?: string
  /** The folder within it; document ids are relative to that. */
  readonly path?: string
  /** Holds the working copies. */
  readonly folder: string
  readonly rules: AddressRules
  readonly deadlineMs?: number
}

const run = promisify(execFile)
const DEADLINE_MS = 300_000
const PROTOCOLS = ['https', 'http', 'ssh', 'file']

export function createGitSource(options: GitOptions): Source {
  const { url, ref, path = '' } = options
  check(options)
  const shown = withoutCredentials(url)
  const name = sha256Hex(JSON.stringify([url, ref ?? null])).slice(0, 24)
  const place = `git:${shown}${ref === undefined ? '' : `@${ref}`}${path === '' ? '' : `:${path}`}`
  const copy = join(options.folder, name)
  return {
    place,
    list: async (signal) => {
      await bring(options, copy, shown, signal)
      const folder = createFolderSource({
        path: join(copy, path),
        include: options.include,
        exclude: options.exclude,
        sourceOf: (relative) => `${shown}#${path === '' ? '' : `${path}/`}${relative}`,
      })
      return folder.list(signal)
    },
  }
}

function check({ url, ref, path = '' }: GitOptions): void {
  if (!GIT_URL.test(url))
    throw new AppError(
      'malformed',
      `${url} is no address of a git repository. Take https://, ssh:// or user@host:path.`,
    )
  if (ref !== undefined && !GIT_REF.test(ref))
    throw new AppError('malformed', `${ref} is no name of a branch or a tag.`)
  if (path.split('/').includes('..') || path.startsWith('/') || path.split('/').includes('.git'))
    throw new AppError('malformed', `${path} has to be a path inside the repository.`)
}

/**
 * The copy, as the repository is now. It is made beside and put in place whole: what is there is always some whole state,
 * also after a crash, and a repository that cannot be reached throws and leaves the old one for others to read.
 */
async function bring(options: GitOptions, copy: string, shown: string, signal: AbortSignal): Promise<void> {
  const { url, ref, folder, deadlineMs = DEADLINE_MS } = options
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const late = AbortSignal.timeout(deadlineMs)
  const bounded = AbortSignal.any([signal, late])
  const beside = `${copy}.${process.pid}.new`
  const pinned = await judgedAddresses(url, options.rules)
  try {
    const head = await newestCommit(options, pinned, bounded)
    if (head !== undefined && head === (await commitOf(copy, bounded))) return
    await rm(beside, { recursive: true, force: true })
    const branch = ref === undefined ? [] : [`--branch=${ref}`]
    await git(
      [
        ...pinned,
        'clone',
        '--quiet',
        '--depth=1',
        '--single-branch',
        '--no-tags',
        '--template=',
        ...branch,
        '--',
        url,
        beside,
      ],
      bounded,
    )
    const old = `${copy}.${process.pid}.old`
    await rm(old, { recursive: true, force: true })
    if (existsSync(copy)) await rename(copy, old)
    await rename(beside, copy)
    await rm(old, { recursive: true, force: true })
  } catch (error) {
    await rm(beside, { recursive: true, force: true })
    signal.throwIfAborted()
    if (late.aborted) throw new AppError('deadline', `${shown} was not there within ${deadlineMs / 1000} s.`)
    throw new AppError('upstream', `${shown} cannot be cloned: ${reasonOf(error, url, shown)}.`)
  }
}

/** Where it would be cloned at, without cloning it. undefined: the clone will tell. */
async function newestCommit(
  { url, ref }: GitOptions,
  pinned: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const { stdout } = await git([...pinned, 'ls-remote', '--quiet', '--', url, ref ?? 'HEAD'], signal)
  const lines = stdout.split('\n').filter((line) => line !== '')
  // A tag and a branch of the same name: which one is taken, the clone decides.
  return lines.length === 1 ? lines[0]?.split('\t')[0] : undefined
}

async function commitOf(copy: string, signal: AbortSignal): Promise<string | undefined> {
  if (!existsSync(join(copy, '.git'))) return undefined
  const read = await git(['-C', copy, 'rev-parse', 'HEAD'], signal).catch(() => undefined)
  signal.throwIfAborted()
  return read?.stdout.trim()
}

function git(args: readonly string[], signal: AbortSignal): Promise<{ stdout: string }> {
  const settings = [
    'core.hooksPath=/dev/null',
    'core.symlinks=false',
    'core.fsmonitor=false',
    'core.autocrlf=false',
    // It is the named host whose address was judged: where it would lead on to was not.
    'http.followRedirects=false',
    'submodule.recurse=false',
    'protocol.allow=never',
    ...PROTOCOLS.map((protocol) => `protocol.${protocol}.allow=always`),
  ]
  return run('git', [...settings.flatMap((setting) => ['-c', setting]), ...args], {
    signal,
    killSignal: 'SIGKILL',
    maxBuffer: 4 * 1024 * 1024,
    env: {
      ...pick(process.env, [
        'PATH',
        'HOME',
        'SSH_AUTH_SOCK',
        'HTTPS_PROXY',
        'https_proxy',
        'NO_PROXY',
        'no_proxy',
        'SSL_CERT_FILE',
        'GIT_SSL_CAINFO',
      ]),
      // Nobody is there to type a password.
      GIT_TERMINAL_PROMPT: '0',
      GIT_ASKPASS: 'true',
      GIT_SSH_COMMAND: 'ssh -oBatchMode=yes',
      GIT_LFS_SKIP_SMUDGE: '1',
      LC_ALL: 'C',
    },
  })
}

/**
 * Throws for a host inside a network that is not public. Returns what makes git connect to the addresses that were judged, for
 * the name could lead elsewhere a moment later.
 */
async function judgedAddresses(text: string, rules: AddressRules): Promise<readonly string[]> {
  if (!/^https?:/.test(text)) return []
  const url = new URL(text)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0) {
    rules.check(host, host)
    return []
  }
  const found = await lookup(host, { all: true }).catch(() => [])
  for (const { address } of found) rules.check(host, address)
  if (found.length === 0) {
    // Where a proxy looks names up, this machine need not be able to.
    if (url.protocol === 'https:' && (process.env['HTTPS_PROXY'] ?? process.env['https_proxy'])) return []
    throw new AppError('upstream', `${host} has no address.`)
  }
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  const addresses = found.map(({ address, family }) => (family === 6 ? `[${address}]` : address))
  return ['-c', `http.curloptResolve=${host}:${port}:${addresses.join(',')}`]
}

function withoutCredentials(text: string): string {
  if (!/^[a-z]+:\/\//.test(text)) return text
  const url = new URL(text)
  url.password = ''
  if (url.protocol !== 'ssh:') url.username = ''
  return url.href
}

function reasonOf(error: unknown, url: string, shown: string): string {
  const { stderr, code } = error as { stderr?: string; code?: unknown }
  if (code === 'ENOENT') return 'there is no program called git on the PATH'
  const said = (stderr ?? String(error))
    .replaceAll(url, shown)
    .split('\n')
    .filter((line) => line.startsWith('fatal:') || line.startsWith('error:'))
  return said.map((line) => line.replace(/^(?:fatal|error): /, '').replace(/\.$/, '')).join('; ') || 'git failed'
}

const pick = (from: NodeJS.ProcessEnv, names: readonly string[]): NodeJS.ProcessEnv =>
  Object.fromEntries(names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]])))
