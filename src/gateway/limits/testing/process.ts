// One of several Midwatch processes that share limits through Redis: only the limiter of it. It is told what to do in
// lines of JSON, and answers each with one.
import { createInterface } from 'node:readline'
import { systemClock } from '../../../core/clock.ts'
import type { LimitConfig } from '../../../core/limits.ts'
import { silentLog } from '../../../observe/log.ts'
import type { Lease } from '../limiter.ts'
import { RedisLimiter } from '../redis.ts'
import { ask, subject } from './asks.ts'

export interface ProcessOptions {
  readonly url: string
  readonly prefix: string
  readonly ledger: string
  readonly spentMicroUsd: number
}

export type Order =
  /** So many calls at once, all against the key `shared`. */
  | {
      readonly do: 'admit'
      readonly calls: number
      readonly limits: LimitConfig
      readonly tokens: number
      readonly costMicroUsd: number
    }
  | { readonly do: 'settle'; readonly tokens: number; readonly costMicroUsd: number }

export interface Done {
  readonly admitted: number
  readonly refused: number
  readonly failed: number
}

const options = JSON.parse(process.argv[2] ?? '{}') as ProcessOptions
const limiter = new RedisLimiter({
  ...options,
  onLoss: 'refuse',
  clock: systemClock,
  log: silentLog(),
  spentSince: () => Promise.resolve(options.spentMicroUsd),
})
await limiter.start()
let leases: Lease[] = []

async function carryOut(order: Order): Promise<Done> {
  if (order.do === 'settle') {
    for (const lease of leases) lease.settle(order)
    leases = []
    return { admitted: 0, refused: 0, failed: 0 }
  }
  const key = subject('shared', order.limits)
  const decisions = await Promise.allSettled(
    Array.from({ length: order.calls }, async () => limiter.admit(ask(key, order))),
  )
  let [admitted, refused, failed] = [0, 0, 0]
  for (const one of decisions) {
    if (one.status === 'rejected') failed++
    else if (one.value.kind === 'refused') refused++
    else {
      admitted++
      leases.push(one.value.lease)
    }
  }
  return { admitted, refused, failed }
}

console.log('ready')
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await carryOut(JSON.parse(line) as Order)))
}
await limiter.stop()
