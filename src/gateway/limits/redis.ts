// The limits of several processes together, counted in Redis. What this process holds is counted in its own memory too:
// it is what Redis is told anew after it forgot, and what decides alone while Redis is away, if that is wanted.
import { AppError, describeError } from '../../core/errors.ts'
import type { Clock } from '../../core/clock.ts'
import { Timekeeper } from '../../core/timekeeper.ts'
import type { Log } from '../../observe/log.ts'
import { InProcessLimiter, type InProcessLease, learnBudgets, prepareBudgets } from './in-process.ts'
import type { Admitted, Allowance, Ask, Decision, Lease, Limiter, RefusalReason, Standing, Used } from './limiter.ts'
import { type Joined, RedisLink } from './redis-link.ts'
import { findUnpriced, refuse, SOON_MS } from './refusal.ts'
import { nanoOf, nanoOfUsd, type SpentSince, Spending } from './spending.ts'
import { NO_STANDING, tighter } from './standing.ts'
import type { Subject } from './subjects.ts'

/** A call waits no longer than this for Redis, all in all. */
const WAIT_MS = 1_000
/** A period may end between two questions; more than once in a row it does not. */
const TRIES = 3

export interface RedisLimiterOptions {
  readonly url: string
  readonly prefix: string
  readonly onLoss: 'refuse' | 'local'
  readonly clock: Clock
  readonly log: Log
  /** Stands for this process' ledger, also after a restart. */
  readonly ledger: string
  readonly spentSince: SpentSince
  /** For tests: how far ahead of the server's clock to be. */
  readonly aheadMs?: (() => number) | undefined
}

export class RedisLimiter implements Limiter {
  readonly #options: RedisLimiterOptions
  readonly #link: RedisLink
  readonly #local: InProcessLimiter
  readonly #spending: Spending
  readonly #timekeeper: Timekeeper
  readonly #underWay = new Set<Promise<unknown>>()
  readonly #stopping = new AbortController()
  /** The server's time, so that all speak of the same period. */
  readonly #clock: Clock

  constructor(options: RedisLimiterOptions) {
    this.#options = options
    const { clock } = options
    this.#clock = { now: () => clock.now() + this.#link.offsetMs, sleep: (ms, signal) => clock.sleep(ms, signal) }
    this.#spending = new Spending(options.spentSince, this.#clock)
    this.#local = new InProcessLimiter(this.#clock, this.#spending)
    this.#timekeeper = new Timekeeper(clock)
    this.#link = new RedisLink({ ...options, holding: () => this.#holding() })
  }

  /** Waits for the first connection, but not for long: without one, every call says so itself. */
  async start(): Promise<void> {
    await this.#link.whenJoined(WAIT_MS, this.#stopping.signal).catch(() => undefined)
  }

  get trouble(): string | undefined {
    return this.#link.trouble
  }

  admit(ask: Ask): Decision | Promise<Decision> {
    const unpriced = findUnpriced(ask)
    return unpriced ? refuse(unpriced, ask, NO_STANDING) : this.#admit(ask, this.#clock.now(), TRIES)
  }

  prepare(subjects: readonly Subject[]): Promise<void> {
    return prepareBudgets(this.#spending, subjects, this.#clock.now())
  }

  async stop(): Promise<void> {
    await Promise.allSettled(this.#underWay)
    this.#stopping.abort(new AppError('unavailable', 'Midwatch is stopping. Try again in a moment.'))
    await this.#link.stop()
    this.#timekeeper.stop()
  }

  async #admit(ask: Ask, nowMs: number, tries: number): Promise<Decision> {
    for (;;) {
      const learning = learnBudgets(this.#spending, ask, nowMs)
      if (!learning) break
      await learning
    }
    const local = this.#options.onLoss === 'local'
    let joined = this.#link.joined
    if (!joined && local) return this.#admitAlone(ask)
    joined ??= await this.#comingBack(ask.signal)
    if (this.#link.remembering && !local) throw lost('Redis was restarted and is being told what is under way')
    // Fixed before the question: what is answered belongs to these.
    const subjects = ask.subjects.filter(isCounted)
    const budgets = subjects.map((subject) => this.#spending.find(subject, nowMs))
    const starts = budgets.map((budget) => budget?.startMs ?? -1)
    const costNano = nanoOf(ask.costMicroUsd ?? 0)
    const args: (string | number)[] = [this.#options.ledger, ask.tokens, costNano]
    for (const [i, { limits }] of subjects.entries()) {
      const budget = budgets[i]
      args.push(
        limits.requestsPerMinute ?? -1,
        limits.tokensPerMinute ?? -1,
        limits.concurrency ?? -1,
        budget && limits.budgetUsd ? nanoOfUsd(limits.budgetUsd.amount) : -1,
        budget?.startMs ?? -1,
        budget?.endMs ?? -1,
        budget?.committedNano ?? 0,
      )
    }
    const asked = joined.run('admit', this.#keys(subjects), args).then((reply) => readReply(reply, subjects))
    let answer: Answer
    try {
      answer = await this.#inTime(asked)
    } catch (error) {
      // Should it be admitted after all, it is given back: the caller has had another answer by then.
      asked
        .then(
          (late) =>
            late.kind === 'admitted' && this.#settleThere(joined, subjects, starts, late.second, GIVEN_BACK(ask)),
        )
        .catch(() => undefined)
      if (local) return this.#admitAlone(ask)
      if (!isBroken(error)) throw lost('Redis did not answer as it should', error)
      // What was asked there is void. A connection that breaks and is back in a moment costs nobody a call.
      if (this.#link.joined === joined) this.#link.leave(describeError(error))
      return this.#again(ask, this.#clock.now(), tries)
    }
    switch (answer.kind) {
      case 'stranger':
        this.#link.leave('this process was silent for too long, and was taken for dead')
        return this.#again(ask, this.#clock.now(), tries)
      case 'moved':
        this.#link.offsetMs = answer.nowMs - this.#options.clock.now()
        return this.#again(ask, answer.nowMs, tries)
      case 'refused': {
        const { reason, subject, room } = answer
        let { waitMs } = answer
        if (reason === 'budget') {
          const i = subjects.indexOf(subject)
          const missing = (room[i]?.nano ?? 0) + costNano - nanoOfUsd(subject.limits.budgetUsd?.amount ?? 0)
          if (missing <= (budgets[i]?.reservedNano ?? 0)) waitMs = SOON_MS
        }
        return refuse({ reason, subject, waitMs }, ask, standingOf(subjects, room, answer.nowMs))
      }
      case 'admitted': {
        const { room, second } = answer
        const inner = this.#local.record(ask)
        for (const [i, budget] of budgets.entries()) {
          if (budget) budget.othersNano = Math.max(0, (room[i]?.nano ?? 0) - budget.committedNano)
        }
        const lease = this.#lease(ask, inner, subjects, starts, second)
        if (ask.signal?.aborted) {
          lease.cancel()
          throw ask.signal.reason
        }
        return { kind: 'admitted', lease, standing: standingOf(subjects, room, answer.nowMs) } satisfies Admitted
      }
    }
  }

  #again(ask: Ask, nowMs: number, tries: number): Promise<Decision> {
    if (tries <= 1) return Promise.reject(lost('Redis broke off again and again, or does not agree on the time'))
    return this.#admit(ask, nowMs, tries - 1)
  }

  /** Without Redis: up to the whole limit in this process, and of budgets what the others had committed when last heard. */
  async #admitAlone(ask: Ask): Promise<Decision> {
    const decision = await this.#local.admit(ask)
    if (decision.kind === 'refused') return decision
    const subjects = ask.subjects.filter(isCounted)
    const starts = subjects.map((subject) => this.#spending.find(subject, this.#clock.now())?.startMs ?? -1)
    // All that is admitted alone is recorded here; Redis hears of it when it is back.
    return { ...decision, lease: this.#lease(ask, decision.lease as InProcessLease, subjects, starts, NOT_COUNTED) }
  }

  /** A short loss is waited out; after that nobody waits any more. */
  async #comingBack(signal: AbortSignal | undefined): Promise<Joined> {
    const leftMs = WAIT_MS - this.#link.lostMs
    if (leftMs > 0) {
      const until = signal ? AbortSignal.any([signal, this.#stopping.signal]) : this.#stopping.signal
      try {
        return await this.#link.whenJoined(leftMs, until)
      } catch (error) {
        if (until.aborted) throw error
      }
    }
    throw lost(this.#link.trouble ?? 'Redis is away')
  }

  #inTime<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const limit = this.#timekeeper.limit(WAIT_MS, () => {
        // After a pause of our own the answer may be here already, unread: it is read before this runs.
        setImmediate(() => reject(new AppError('deadline')))
      })
      work.then(resolve, reject).finally(() => limit.cancel())
    })
  }

  #lease(
    ask: Ask,
    inner: InProcessLease,
    subjects: readonly Subject[],
    starts: readonly number[],
    second: number,
  ): Lease {
    const close = (end: () => void, given: Given): void => {
      if (!inner.open) return
      end()
      // While Redis is away there is nobody to tell, and no need: it is told everything when it is back.
      const { joined } = this.#link
      if (joined) this.#settleThere(joined, subjects, starts, second, given)
    }
    return {
      reservedMicroUsd: inner.reservedMicroUsd,
      settle: (used) => close(() => inner.settle(used), givenBy(ask, used)),
      cancel: () => close(() => inner.cancel(), GIVEN_BACK(ask)),
    }
  }

  #settleThere(
    joined: Joined,
    subjects: readonly Subject[],
    starts: readonly number[],
    second: number,
    given: Given,
  ): void {
    const args: (string | number)[] = [this.#options.ledger, second, given.requests, given.tokens, given.nano]
    for (const [i, { limits }] of subjects.entries()) {
      const windowed = limits.requestsPerMinute !== undefined || limits.tokensPerMinute !== undefined
      args.push(windowed ? 1 : 0, starts[i] ?? -1)
    }
    const told = joined
      .run('settle', this.#keys(subjects), args)
      // Lost with the connection: the next one begins by telling what is held then.
      .catch(() => undefined)
      .finally(() => this.#underWay.delete(told))
    this.#underWay.add(told)
  }

  #keys(subjects: readonly Subject[]): string[] {
    const { prefix } = this.#options
    const keys = [`${prefix}members`]
    for (const { id } of subjects) keys.push(`${prefix}w:${id}`, `${prefix}c:${id}`, `${prefix}b:${id}`)
    return keys
  }

  *#holding(): Iterable<{ keys: string[]; args: string[] }> {
    const { prefix } = this.#options
    const held = new Map<string, { active: number; start: number; end: number; own: number }>()
    for (const [id, { active }] of this.#local.counters.all()) {
      if (active > 0) held.set(id, { active, start: -1, end: -1, own: 0 })
    }
    for (const [id, { startMs, endMs, committedNano }] of this.#spending.all()) {
      held.set(id, { active: held.get(id)?.active ?? 0, start: startMs, end: endMs, own: committedNano })
    }
    for (const [id, { active, start, end, own }] of held) {
      yield { keys: [`${prefix}c:${id}`, `${prefix}b:${id}`], args: [active, start, end, own].map(String) }
    }
  }
}

/** The connection is gone, or is to be made anew: the server has forgotten our scripts. Else it answered, or is late. */
function isBroken(error: unknown): boolean {
  if (error instanceof AppError || !(error instanceof Error)) return false
  return error.name !== 'ReplyError' || error.message.startsWith('NOSCRIPT')
}

const NOT_COUNTED = -1

/** What is to be added to what was reserved. */
interface Given {
  readonly requests: number
  readonly tokens: number
  readonly nano: number
}

const GIVEN_BACK = (ask: Ask): Given => ({ requests: -1, tokens: -ask.tokens, nano: -nanoOf(ask.costMicroUsd ?? 0) })

const givenBy = (ask: Ask, { tokens, costMicroUsd }: Used): Given => ({
  requests: 0,
  tokens: tokens === null ? 0 : tokens - ask.tokens,
  nano: costMicroUsd === null ? 0 : nanoOf(costMicroUsd) - nanoOf(ask.costMicroUsd ?? 0),
})

/** Users without limits are not counted: there may be any number of them. */
const isCounted = ({ kind, limits }: Subject): boolean =>
  kind !== 'user' || Object.values(limits).some((limit) => limit !== undefined)

const lost = (why: string, cause?: unknown): AppError =>
  new AppError('unavailable', 'The limits cannot be looked up right now. Try again in a moment.', {
    cause: new Error(why, { cause }),
    retryAfterSeconds: 1,
  })

interface Room {
  readonly requests: number
  readonly tokens: number
  readonly newestSecond: number
  readonly nano: number
}

type Answer =
  | { readonly kind: 'stranger'; readonly nowMs: number }
  | { readonly kind: 'moved'; readonly nowMs: number }
  | { readonly kind: 'admitted'; readonly nowMs: number; readonly second: number; readonly room: readonly Room[] }
  | {
      readonly kind: 'refused'
      readonly nowMs: number
      readonly subject: Subject
      readonly reason: RefusalReason
      readonly waitMs: number
      readonly room: readonly Room[]
    }

/** What ADMIT answers, as the comment there says. */
function readReply(reply: unknown, subjects: readonly Subject[]): Answer {
  const [kind, nowMs, ...rest] = reply as readonly [Answer['kind'], number, ...(string | number)[]]
  switch (kind) {
    case 'stranger':
    case 'moved':
      return { kind, nowMs }
    case 'admitted':
      return { kind, nowMs, second: Number(rest[0]), room: readRoom(rest, 1) }
    case 'refused': {
      const subject = subjects[Number(rest[0]) - 1]
      if (!subject)
        throw new Error(`our own script names a subject that it was not asked about: ${JSON.stringify(reply)}`)
      const waitMs = Number(rest[2])
      return {
        kind,
        nowMs,
        subject,
        reason: rest[1] as RefusalReason,
        waitMs: waitMs < 0 ? Infinity : waitMs,
        room: readRoom(rest, 3),
      }
    }
  }
}

function readRoom(numbers: readonly (string | number)[], from: number): Room[] {
  const room: Room[] = []
  for (let i = from; i + 3 < numbers.length; i += 4) {
    const [requests = 0, tokens = 0, newestSecond = 0, nano = 0] = numbers.slice(i, i + 4).map(Number)
    room.push({ requests, tokens, newestSecond, nano })
  }
  return room
}

function standingOf(subjects: readonly Subject[], room: readonly Room[], nowMs: number): Standing {
  let requests: Allowance | undefined
  let tokens: Allowance | undefined
  for (const [i, { limits }] of subjects.entries()) {
    const one = room[i]
    if (!one) continue
    const resetMs = (one.newestSecond + 61) * 1000 - nowMs
    if (limits.requestsPerMinute !== undefined) {
      requests = tighter(requests, limits.requestsPerMinute, one.requests, one.requests === 0 ? 0 : resetMs)
    }
    if (limits.tokensPerMinute !== undefined) {
      tokens = tighter(tokens, limits.tokensPerMinute, one.tokens, one.tokens === 0 ? 0 : resetMs)
    }
  }
  return requests || tokens ? { requests, tokens } : NO_STANDING
}
