// Carries out an entry of the action catalogue that is a command: one program with its arguments, started without a shell
// and without more of our environment than was declared. Its exit code says what is known about the effect.
import { spawn } from 'node:child_process'
import { AppError } from '../../core/errors.ts'
import type { ActionAnswer, ActionCheck } from '../answer.ts'

export interface CommandRequest {
  readonly kind: 'command'
  readonly argv: readonly string[]
  /** Names of variables of ours that it may see, beside PATH. */
  readonly env: readonly string[]
  readonly folder?: string | undefined
  readonly timeoutMs: number
  /** Exit codes that say that nothing was done. */
  readonly refusedExitCodes: readonly number[]
  /** The key of the run, in the variable MIDWATCH_RUN. */
  readonly key: string
}

/** How a program ended. */
type Ended =
  | { readonly kind: 'unstarted'; readonly detail: string }
  | { readonly kind: 'exited'; readonly code: number; readonly said: string }
  | { readonly kind: 'killed'; readonly detail: string }

const MAX_OUTPUT_BYTES = 4096
/** What a program is given to end by itself once its time is over. */
const GRACE_MS = 2000

export async function runCommand(request: CommandRequest, signal: AbortSignal): Promise<ActionAnswer> {
  const ended = await start(request, signal)
  switch (ended.kind) {
    case 'unstarted': {
      return { kind: 'unsent', detail: ended.detail }
    }
    case 'killed': {
      return { kind: 'unclear', detail: ended.detail }
    }
    case 'exited': {
      const detail = `exit code ${ended.code}${ended.said === '' ? '' : `: ${ended.said}`}`
      if (ended.code === 0) return { kind: 'done', detail }
      return { kind: request.refusedExitCodes.includes(ended.code) ? 'refused' : 'unclear', detail }
    }
  }
}

/** Exit code 0: it was carried out. 1: it never arrived. Anything else says nothing. Throws when `signal` cut it short. */
export async function checkCommand(request: CommandRequest, signal: AbortSignal): Promise<ActionCheck> {
  const ended = await start(request, signal)
  // Nobody heard the answer: the run is as it was, and is asked about again.
  if (ended.kind === 'killed' && signal.aborted) throw new AppError('unavailable', undefined, { cause: signal.reason })
  if (ended.kind === 'exited' && ended.code === 0) return { kind: 'done' }
  if (ended.kind === 'exited' && ended.code === 1) return { kind: 'never' }
  const why = ended.kind === 'exited' ? `ended with exit code ${ended.code}` : `says nothing: ${ended.detail}`
  return { kind: 'unclear', detail: `the check ${why}` }
}

function start(request: CommandRequest, signal: AbortSignal): Promise<Ended> {
  const [program = '', ...args] = request.argv
  return new Promise((resolve) => {
    // A group of its own: what it starts ends with it.
    const child = spawn(program, args, {
      cwd: request.folder,
      env: environmentFor(request),
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: false,
      detached: true,
    })
    let said = ''
    let over: string | undefined
    const hear = (chunk: Buffer): void => {
      if (said.length < MAX_OUTPUT_BYTES) said += chunk.toString('utf8')
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    const end = (why: string): void => {
      over ??= why
      endGroup(child.pid, 'SIGTERM')
      setTimeout(() => endGroup(child.pid, 'SIGKILL'), GRACE_MS).unref()
    }
    const timer = setTimeout(
      () => end(`it did not end within ${request.timeoutMs / 1000} s and was ended`),
      request.timeoutMs,
    )
    const aborted = (): void => end('it was ended because Midwatch is stopping')
    if (signal.aborted) aborted()
    signal.addEventListener('abort', aborted, { once: true })
    const settle = (ended: Ended): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', aborted)
      // A grandchild may hold the pipes for longer than anyone waits.
      child.stdout.destroy()
      child.stderr.destroy()
      resolve(ended)
    }
    child.on('error', (error) => {
      if (child.pid === undefined)
        settle({ kind: 'unstarted', detail: `${program} could not be started: ${error.message}` })
    })
    child.on('exit', (code, by) => {
      // What was written last may still be on its way.
      setImmediate(() => {
        if (code === null || over !== undefined)
          settle({ kind: 'killed', detail: over ?? `it was ended by ${by ?? 'a signal'}` })
        else settle({ kind: 'exited', code, said: said.slice(0, 300).replaceAll(/\s+/g, ' ').trim() })
      })
    })
  })
}

function environmentFor({ env, key }: CommandRequest): NodeJS.ProcessEnv {
  const names = ['PATH', ...env]
  const seen = names.flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return { ...Object.fromEntries(seen), MIDWATCH_RUN: key }
}

function endGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // It has ended meanwhile.
  }
}
