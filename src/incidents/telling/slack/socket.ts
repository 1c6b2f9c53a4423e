// Keeps the connection of Socket Mode open: it is made again when it ends, with growing pauses while it cannot be made, and
// a token that is refused is said once and tried again every few minutes, since somebody may mend it on Slack's side.
import type { SocketModeReceiver } from '@slack/bolt'
import type { Clock } from '../../../core/clock.ts'
import { describeError } from '../../../core/errors.ts'
import type { Log } from '../../../observe/log.ts'

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 5 * 60_000

interface HoldOptions {
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
}

/** Resolves when the signal aborts. Never rejects. */
export async function holdSocket(receiver: SocketModeReceiver, { clock, log, signal }: HoldOptions): Promise<void> {
  const { client } = receiver
  // Its pause between pings is longer than a stop may take.
  signal.addEventListener('abort', () => void Promise.resolve(receiver.stop()).catch(() => undefined), { once: true })
  for (let failed = 0; !signal.aborted;) {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    client.once('disconnected', end)
    try {
      await receiver.start()
      failed = 0
      log.info('the connection to Slack is open')
      await Promise.race([ended, aborted(signal)])
    } catch (error) {
      if (signal.aborted) return
      failed += 1
      log.warn(
        { reason: describeError(error) },
        'the connection to Slack could not be opened: look at agent.notify.slack.appToken, and whether Socket Mode is on',
      )
    } finally {
      client.off('disconnected', end)
    }
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failed, 10))
    await clock.sleep(pause, signal).catch(() => undefined)
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
