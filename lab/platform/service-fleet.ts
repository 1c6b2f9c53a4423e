// The processes of one service: which revision they run, how many there are, and how one set takes over from another.
// What is asked of one service happens one after the other.
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../../src/core/errors.ts'
import type { StartMessage, ToProcess, Trouble } from '../shop/messages.ts'
import type { Instance } from './instance.ts'
import type { InstanceView, Revision, ServiceName } from './platform.ts'
import { PLANS } from './plan.ts'

export interface Placement {
  readonly scratchDir: string
  readonly volume: StartMessage['volume']
}

export interface FleetOptions {
  readonly service: ServiceName
  readonly workDir: string
  readonly first: Revision
  readonly makeInstance: (revision: Revision, placement: Placement) => Instance
  /** Endpoints or targets changed. */
  readonly onChange: () => void
}

interface Member {
  readonly instance: Instance
  readonly placement: Placement
}

export class ServiceFleet {
  readonly #options: FleetOptions
  /** Oldest first; the last one runs. */
  #history: readonly Revision[]
  #members: readonly Member[] = []
  #serial = 0
  #queue: Promise<unknown> = Promise.resolve()

  constructor(options: FleetOptions) {
    this.#options = options
    this.#history = [options.first]
  }

  get service(): ServiceName {
    return this.#options.service
  }
  get revision(): Revision {
    return this.#history.at(-1) ?? this.#options.first
  }
  get size(): number {
    return this.#members.length
  }
  /** One at least: after a failed start there may be none, and the next attempt must bring the service back. */
  get #wantedSize(): number {
    return Math.max(1, this.size)
  }
  get placement(): Placement | undefined {
    return this.#members[0]?.placement
  }
  instances(): readonly Instance[] {
    return this.#members.map((member) => member.instance)
  }
  views(): readonly InstanceView[] {
    return this.#members.map(({ instance }) => ({
      service: this.service,
      pid: instance.pid,
      port: instance.ports[this.service],
      state: instance.state,
      crashes: instance.crashes,
    }))
  }

  start(): Promise<void> {
    return this.#inTurn(() => this.#replace(this.revision, 1))
  }

  /** Runs what `change` makes of the present revision, with new processes; kept in the history when that worked. */
  rollOut(change: (present: Revision) => Revision): Promise<Revision> {
    return this.#inTurn(async () => {
      const next = change(this.revision)
      await this.#replace(next, this.#wantedSize)
      this.#history = [...this.#history, next]
      return next
    })
  }

  /** To the revision before this one, or to the last with the release or configuration `to`. */
  rollBack(to: string | undefined): Promise<{ from: Revision; now: Revision }> {
    return this.#inTurn(async () => {
      const from = this.revision
      const target = this.#findEarlier(to)
      await this.#replace(target.revision, this.#wantedSize)
      this.#history = [...this.#history.slice(0, target.at), target.revision]
      return { from, now: target.revision }
    })
  }

  restart(): Promise<void> {
    return this.#inTurn(() => this.#replace(this.revision, this.#wantedSize))
  }

  scale(count: (present: number) => number): Promise<{ from: number; to: number }> {
    return this.#inTurn(async () => {
      const from = this.size
      const to = count(from)
      if (to > from) {
        const added = await this.#startNew(this.revision, to - from)
        this.#members = [...this.#members, ...added]
        this.#options.onChange()
      } else {
        const leaving = this.#members.slice(to)
        this.#members = this.#members.slice(0, to)
        this.#options.onChange()
        await this.#dismiss(leaving)
      }
      return { from, to }
    })
  }

  tell(message: ToProcess): void {
    for (const { instance } of this.#members) instance.send(message)
  }

  async trouble(trouble: Trouble): Promise<void> {
    await Promise.all(this.#members.map(({ instance }) => instance.trouble(trouble)))
  }

  async end(): Promise<void> {
    await Promise.all(this.#members.map(({ instance }) => instance.end()))
  }

  #findEarlier(to: string | undefined): { at: number; revision: Revision } {
    const last = this.#history.length - 1
    const present = this.revision
    const before = this.#history[last - 1]
    if (to === undefined) {
      if (!before) throw new AppError('conflict', `${this.service} has nothing to go back to.`)
      return { at: last - 1, revision: before }
    }
    if (present.release.hash === to || present.configRevision === to)
      throw new AppError('conflict', `${this.service} runs ${to} already.`)
    const at = this.#history.findLastIndex((past) => past.release.hash === to || past.configRevision === to)
    const past = this.#history[at]
    if (!past) throw new AppError('not_found', `${this.service} never ran ${to}.`)
    const revision =
      past.release.hash === to
        ? { ...present, release: past.release }
        : { ...present, config: past.config, configRevision: past.configRevision }
    return { at, revision }
  }

  /** Changes nothing when the new processes do not come up (`rolling`). */
  async #replace(revision: Revision, count: number): Promise<void> {
    const old = this.#members
    if (PLANS[this.service].rollout === 'recreate') {
      await this.#dismiss(old)
      this.#members = await this.#startNew(revision, count)
      this.#options.onChange()
      return
    }
    this.#members = await this.#startNew(revision, count)
    this.#options.onChange()
    await this.#dismiss(old)
  }

  async #startNew(revision: Revision, count: number): Promise<Member[]> {
    const members = Array.from({ length: count }, () => {
      const placement = this.#place()
      return { placement, instance: this.#options.makeInstance(revision, placement) }
    })
    const started = await Promise.allSettled(members.map(({ instance }) => instance.start()))
    const failed = started.find((result) => result.status === 'rejected')
    if (failed) {
      await this.#dismiss(members)
      throw failed.reason
    }
    return members
  }

  /** A scratch folder of its own, and a disk: a new one, or for who owns its data the same with the temporary files gone. */
  #place(): Placement {
    const { service, workDir } = this.#options
    const { rollout, volumeBytes } = PLANS[service]
    const own = `${service}-${++this.#serial}`
    const dir = join(workDir, 'volumes', rollout === 'recreate' ? service : own)
    if (existsSync(join(dir, 'tmp'))) rmSync(join(dir, 'tmp'), { recursive: true, force: true })
    return {
      scratchDir: join(workDir, 'scratch', own),
      volume: volumeBytes === undefined ? undefined : { dir, quotaBytes: volumeBytes },
    }
  }

  async #dismiss(members: readonly Member[]): Promise<void> {
    await Promise.all(
      members.map(async ({ instance, placement }) => {
        await instance.drain()
        rmSync(placement.scratchDir, { recursive: true, force: true })
        if (placement.volume && PLANS[this.service].rollout === 'rolling')
          rmSync(placement.volume.dir, { recursive: true, force: true })
      }),
    )
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#queue.then(work)
    this.#queue = mine.catch(() => undefined)
    return mine
  }
}
