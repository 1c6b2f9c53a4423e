// The frame of every process of the lab: it waits for its start message, says when it is ready, does as it is told, and
// ends with its parent, so that nothing is left running whatever happens to the platform.
import type { Endpoints, Flags, FromProcess, StartMessage, ToProcess, Trouble } from './messages.ts'

/** What a started process answers to. */
export interface Running {
  /** Logical name → port. */
  readonly ports: Readonly<Record<string, number>>
  endpoints?(endpoints: Endpoints): void
  flags?(flags: Flags): void
  trouble?(trouble: Trouble): void | Promise<void>
  surge?(factor: number): void
  /** Finishes what it accepted. The process ends afterwards. */
  drain(): Promise<void>
}

/** A process that cannot start says why in its log, then ends with code 1. */
export type Start = (message: StartMessage) => Promise<Running>

const DIE_CODE = 137

export const tellParent = (message: FromProcess): void => {
  if (process.connected) process.send?.(message)
}

export function runChild(start: Start): void {
  let running: Running | undefined
  process.on('disconnect', () => process.exit(0))
  // Control-C reaches the whole process group: the platform alone decides when the shop ends.
  process.on('SIGINT', () => {})
  process.on('message', (message: ToProcess) => {
    handle(message).catch((error: unknown) => {
      process.stderr.write(`${String(error)}\n`)
      process.exit(1)
    })
  })

  async function handle(message: ToProcess): Promise<void> {
    switch (message.type) {
      case 'start':
        running = await start(message)
        tellParent({ type: 'ready', ports: running.ports })
        return
      case 'endpoints':
        return running?.endpoints?.(message.endpoints)
      case 'flags':
        return running?.flags?.(message.flags)
      case 'surge':
        return running?.surge?.(message.factor)
      case 'trouble':
        if (message.trouble.kind === 'die') process.exit(DIE_CODE)
        await running?.trouble?.(message.trouble)
        return tellParent({ type: 'troubled' })
      case 'drain':
        await running?.drain()
        return process.exit(0)
    }
  }
}
