// Takes money through the acquirer, with a token that the acquirer gave and that runs out. The token is read once, at
// start; how long it is good for is asked of the acquirer now and then.
import { readFileSync } from 'node:fs'
import { Gauge } from 'prom-client'
import { z } from 'zod'
import type { MakeService } from '../context.ts'
import { parseBody } from '../parse-body.ts'
import { CallError, ShopError } from '../shop-error.ts'

const charge = z.object({ order: z.string(), cents: z.number().int().nonnegative() })
const secrets = z.object({ acquirerToken: z.string() })

const ASK_EVERY_MS = 5000

export const payment: MakeService = async ({ call, metrics, log, flags, amount, secretsFile }) => {
  const { acquirerToken } = secrets.parse(JSON.parse(readFileSync(secretsFile, 'utf8')))
  const headers = { authorization: `Bearer ${acquirerToken}` }
  const timeoutMs = amount('acquirer.timeoutMs', 4000)
  const expiry = new Gauge({
    name: 'credential_expiry_timestamp_seconds',
    help: 'When the credential runs out',
    labelNames: ['credential'],
    registers: [metrics.registry],
  })

  const askExpiry = async () => {
    try {
      const answer = await call('acquirer', 'GET', '/token', { timeoutMs, headers })
      const { expiresAt } = z.object({ expiresAt: z.number() }).parse(answer)
      expiry.set({ credential: 'acquirer-token' }, expiresAt / 1000)
    } catch (error) {
      log.warn(`cannot ask the acquirer about its token: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  await askExpiry()
  const timer = setInterval(() => void askExpiry(), ASK_EVERY_MS)

  return {
    routes: [
      {
        method: 'POST',
        path: '/charges',
        handle: async ({ body, requestId }) => {
          const wanted = parseBody(charge, body)
          const peer = flags()['payment-backup-acquirer'] === 'on' ? 'acquirer-backup' : 'acquirer'
          try {
            return await call(peer, 'POST', '/charges', { requestId, timeoutMs, headers, body: wanted })
          } catch (error) {
            if (error instanceof CallError && error.answered === 402) throw new ShopError(402, 'the card was declined')
            throw error
          }
        },
      },
    ],
    stop: () => clearInterval(timer),
  }
}
