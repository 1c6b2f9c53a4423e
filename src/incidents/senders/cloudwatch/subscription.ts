// Answers SNS's handshake: the address that a confirmation names is asked once, as a job, so that neither a crash nor a
// network that is away for a while loses the subscription. It was checked to be one of SNS before the job was written,
// and is checked again here. What came of it stands with the kept message.
import type { Db } from '../../../db/connect.ts'
import type { Job, JobHandler } from '../../../db/queue.ts'
import { AppError, describeError } from '../../../core/errors.ts'
import { z } from 'zod'
import type { Log } from '../../../observe/log.ts'
import type { IncidentTables } from '../../tables.ts'
import { snsAddress } from './sns.ts'
import type { FetchText } from './fetch-aws.ts'

export const CONFIRM_SUBSCRIPTION = 'confirm-subscription'

const payloadShape = z.object({ url: z.string(), topic: z.string(), identity: z.string() })

export interface ConfirmDeps {
  readonly db: Db<IncidentTables>
  readonly fetchText: FetchText
  readonly log: Log
}

/** The handler of those jobs. It throws where trying again may help; SNS keeps a token for three days. */
export function confirmSubscription({ db, fetchText, log }: ConfirmDeps): JobHandler {
  return async (job: Job, signal: AbortSignal) => {
    const { url, topic, identity } = payloadShape.parse(job.payload)
    const note = async (what: string): Promise<void> => {
      await db
        .updateTable('alerts')
        .set({ reason: `notice: ${what}` })
        .where('identity', '=', identity)
        .where('decision', '=', 'ignored')
        .execute()
    }
    const address = snsAddress(url)
    if (!address) return await note('the subscription names an address that is none of SNS; it was not visited')
    try {
      await fetchText(address, signal)
    } catch (error) {
      const refused = error instanceof AppError && !error.retryable
      await note(
        `the subscription to ${topic} could not be confirmed (${describeError(error)})` +
          (refused ? '; subscribe again at AWS' : '; it is tried again'),
      )
      if (!refused) throw error
      log.warn({ topic, err: error }, 'AWS refused to confirm a subscription')
      return
    }
    log.info({ topic }, 'a subscription was confirmed')
    await note(`the subscription to ${topic} is confirmed`)
  }
}
