// Builds the page when it is missing or older than its sources, so that a fresh clone needs no build step. It is built
// beside the old one and put in place with a rename of the shell last: nobody is ever served half a page.
// Vite runs in a process of its own; Midwatch would otherwise carry its memory for as long as it serves.
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describeError } from '../core/errors.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

export interface WebBuildOptions {
  /** The page's sources; the page is built into its `dist`. */
  readonly webDir?: string
  /** Where to tell what is being done. Standard error when absent: standard output is for data. */
  readonly say?: (line: string) => void
}

/** Where the page lies once it is built. */
export const WEB_DIST = join(root, 'web', 'dist')

/** Never throws: without a page the rest of Midwatch works, and the reason is said. */
export async function ensureWebBuilt(options: WebBuildOptions = {}): Promise<void> {
  const webDir = options.webDir ?? join(root, 'web')
  const say = options.say ?? ((line: string) => process.stderr.write(`${line}\n`))
  const dist = join(webDir, 'dist')
  try {
    const builtAtMs = await modifiedAt(join(dist, 'index.html'))
    if (builtAtMs !== undefined && builtAtMs >= (await newestSource(webDir))) return
    say(builtAtMs === undefined ? 'Building the page (once, a few seconds) …' : 'The page changed: building it again …')
    await build(webDir, dist)
  } catch (error) {
    const kept =
      (await modifiedAt(join(dist, 'index.html'))) === undefined ? 'There is no page' : 'The page is an old one'
    say(`The page could not be built: ${reasonOf(error, dist)} ${kept}; everything else works.`)
  }
}

async function build(webDir: string, dist: string): Promise<void> {
  await mkdir(dist, { recursive: true })
  const staging = await mkdtemp(join(dist, '.building-'))
  try {
    await runVite(webDir, staging)
    const fresh = await readdir(staging)
    const stale = (await readdir(dist)).filter((name) => !name.startsWith('.') && !fresh.includes(name))
    for (const name of fresh.filter((name) => name !== 'index.html'))
      await cp(join(staging, name), join(dist, name), { recursive: true })
    await rename(join(staging, 'index.html'), join(dist, 'index.html'))
    const keep = new Set(await readdir(join(staging, 'assets')).catch(() => []))
    const old = (await readdir(join(dist, 'assets')).catch(() => [])).filter((name) => !keep.has(name))
    for (const name of [...stale, ...old.map((name) => join('assets', name))])
      await rm(join(dist, name), { recursive: true, force: true })
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}

async function runVite(webDir: string, outDir: string): Promise<void> {
  const vite = join(dirname(fileURLToPath(import.meta.resolve('vite/package.json'))), 'bin', 'vite.js')
  const args = [vite, 'build', webDir, '--outDir', relative(webDir, outDir), '--logLevel', 'warn']
  // NODE_ENV of our own process would choose React's development build.
  const env = { ...process.env, NODE_ENV: 'production' }
  await promisify(execFile)(process.execPath, args, { cwd: root, env, timeout: 180_000 })
}

const modifiedAt = async (file: string): Promise<number | undefined> =>
  (await stat(file).catch(() => undefined))?.mtimeMs

/** The time of the newest change among the sources, counting folders, which change when a file is taken away. */
async function newestSource(dir: string): Promise<number> {
  let newest = 0
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    if (['dist', 'node_modules', 'testing'].includes(entry.name) || entry.name.startsWith('.')) continue
    const path = join(dir, entry.name)
    const own = (await stat(path)).mtimeMs
    newest = Math.max(newest, own, entry.isDirectory() ? await newestSource(path) : 0)
  }
  return newest
}

function reasonOf(error: unknown, dist: string): string {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM')
    return `the folder ${dist} cannot be written. Run npm run build where it can be, and start again.`
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND')
    return 'vite is not installed here. Run npm ci (without --omit=dev), or bring web/dist along.'
  const stderr = (error as { stderr?: string }).stderr?.trim()
  return `${stderr ? stderr.split('\n').slice(0, 12).join('\n') : describeError(error)}.`
}
