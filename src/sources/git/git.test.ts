import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tempFolder } from '../../../test/temp.ts'
import { CHANGE_SHOP, changeSourceContract } from '../change-source-contract.ts'
import { createGitSource, type GitRepository } from './git.ts'

const never = new AbortController().signal
const all = { fromMs: 0, toMs: Date.UTC(2030, 0) }
const REPOSITORY = { branch: 'main', kind: 'deploy' } as const
const source = (...repositories: GitRepository[]) => createGitSource({ repositories })

function git(folder: string, args: readonly string[], input = '', env: NodeJS.ProcessEnv = {}): void {
  const who = { GIT_AUTHOR_NAME: 'Ada', GIT_AUTHOR_EMAIL: 'a@x', GIT_COMMITTER_NAME: 'c', GIT_COMMITTER_EMAIL: 'c@x' }
  const nobodys = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' }
  execFileSync('git', ['-C', folder, ...args], {
    input,
    env: { PATH: process.env['PATH'], ...nobodys, ...who, ...env },
  })
}

function newRepository(folder = tempFolder()): string {
  git(folder, ['init', '-q', '-b', 'main'])
  return folder
}

function commit(folder: string, files: readonly string[], message: string, at: number): void {
  for (const file of files) {
    mkdirSync(join(folder, file, '..'), { recursive: true })
    writeFileSync(join(folder, file), message)
  }
  git(folder, ['add', '-A'])
  git(folder, ['commit', '-q', '-m', message], '', {
    GIT_AUTHOR_DATE: `${at / 1000} +0000`,
    GIT_COMMITTER_DATE: `${at / 1000} +0000`,
  })
}

describe.skipIf(spawnSync('git', ['--version']).error)('Git', () => {
  let folder = ''
  beforeAll(() => {
    folder = newRepository(mkdtempSync(join(tmpdir(), 'midwatch-git-')))
    const stream = CHANGE_SHOP.map(({ at, author, summary }, i) => {
      const text = Buffer.byteLength(summary)
      return `commit refs/heads/main\nauthor ${author} <a@x> ${at / 1000} +0000\ncommitter c <c@x> ${at / 1000} +0000\ndata ${text}\n${summary}\nM 100644 inline f${i}\ndata 1\nx\n`
    })
    git(folder, ['fast-import', '--quiet'], stream.join(''))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  changeSourceContract('git', () => source({ ...REPOSITORY, path: folder, service: 'checkout' }))

  test('in a repository of several services, a commit is of those whose folders it touches', async () => {
    const repository = newRepository()
    commit(repository, ['services/cart/a', 'services/pay/b'], 'both', 1_700_000_000_000)
    commit(repository, ['services/pay/c', 'README'], 'pay alone', 1_700_000_060_000)
    commit(repository, ['services/payments/x'], 'another', 1_700_000_120_000)
    const folders = { 'services/cart': 'cart', 'services/pay/': 'payment' }
    const changes = await source({ ...REPOSITORY, path: repository, folders }).read(all, never)
    expect(changes.map(({ service, summary }) => `${service}: ${summary}`)).toEqual([
      'cart: both',
      'payment: both',
      'payment: pay alone',
    ])
  })

  test('what was merged is one change, at the time of the merge, with its files', async () => {
    const repository = newRepository()
    commit(repository, ['a'], 'first', 1_700_000_000_000)
    git(repository, ['checkout', '-q', '-b', 'topic'])
    commit(repository, ['services/cart/x'], 'on the branch', 1_700_000_010_000)
    git(repository, ['checkout', '-q', 'main'])
    const date = '1700000900 +0000'
    git(repository, ['merge', '-q', '--no-ff', '-m', 'Merge topic', 'topic'], '', { GIT_COMMITTER_DATE: date })
    const folders = { 'services/cart': 'cart' }
    const changes = await source({ ...REPOSITORY, path: repository, folders }).read(all, never)
    expect(changes).toMatchObject([{ service: 'cart', summary: 'Merge topic', at: 1_700_000_900_000, kind: 'deploy' }])
  })

  test('a repository or a branch that is not there is told; a branch is never taken for an option', async () => {
    const nowhere = source({ ...REPOSITORY, path: '/nowhere', service: 'x' }).read(all, never)
    await expect(nowhere).rejects.toThrow(/^The Git repository \/nowhere cannot be read: .*No such file/)
    for (const branch of ['gone', '--output=/tmp/midwatch-git-test'])
      await expect(source({ ...REPOSITORY, branch, path: folder, service: 'x' }).read(all, never)).rejects.toThrow(
        'cannot be read: fatal: ',
      )
  })
})
