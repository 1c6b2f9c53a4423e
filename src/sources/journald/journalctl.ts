// One run of `journalctl`, line by line, ended as soon as nobody wants more of it. It gets a list of arguments and no shell, and
// only reads.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { AppError } from '../../core/errors.ts'

export interface RunLimits {
  readonly timeoutMs: number
  readonly maxBytes: number
}

export interface Ran {
  /** Whether it was ended before it had said all. */
  readonly stopped: boolean
  /** What it said beside the entries, in words: journals that it may not read, or cannot. */
  readonly problems: readonly string[]
}

const MAX_PROBLEMS = 3

/** `onLine` returns whether it wants more. Throws `deadline`, `upstream`, or the signal's reason. */
export async function runJournalctl(
  args: readonly string[],
  { timeoutMs, maxBytes }: RunLimits,
  signal: AbortSignal,
  onLine: (text: string) => boolean,
): Promise<Ran> {
  signal.throwIfAborted()
  const timeout = AbortSignal.timeout(timeoutMs)
  const env = { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', SYSTEMD_COLORS: '0', SYSTEMD_PAGER: 'cat' }
  const child = spawn('journalctl', args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const kill = () => void child.kill('SIGKILL')
  const either = AbortSignal.any([signal, timeout])
  either.addEventListener('abort', kill, { once: true })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  // Whoever fails first is told below; the other is not left floating.
  ended.catch(() => undefined)
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (said = (said + text).slice(0, 4000)))
  let stopped = false
  let bytes = 0
  try {
    for await (const line of createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY })) {
      bytes += line.length + 1
      if (onLine(line) && bytes <= maxBytes) continue
      stopped = true
      break
    }
    if (stopped) kill()
    const code = await ended
    signal.throwIfAborted()
    if (timeout.aborted)
      throw new AppError(
        'deadline',
        `journalctl did not end within ${timeoutMs} ms. Ask for less time, or fewer units.`,
      )
    const lines = said.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim().slice(0, 200)]))
    if (!stopped && code !== 0)
      throw new AppError('upstream', `journalctl failed: ${lines[0] ?? `it ended with code ${code ?? 'unknown'}`}`)
    const problems = lines.filter((line) => !/^-- |^Users in groups|^Pass -q/.test(line)).slice(0, MAX_PROBLEMS)
    return {
      stopped,
      problems: bytes > maxBytes ? [...problems, `more than ${maxBytes} bytes: the newest were read`] : problems,
    }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof AppError) throw error
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new AppError('upstream', 'journalctl is not on the PATH: agent.sources.journald needs it.', {
        cause: error,
      })
    throw new AppError('upstream', 'journalctl cannot be run.', { cause: error })
  } finally {
    either.removeEventListener('abort', kill)
    kill()
  }
}
