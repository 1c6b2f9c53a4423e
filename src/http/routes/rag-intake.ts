// How many documents that are sent to us are held and worked on at once. Room is taken by what a body says it weighs, before it is
// read, so that slow uploads cost nobody else anything but memory, and of that no tenant gets all; a turn at the work is
// taken when the body is there, tenant by tenant.
import { AppError } from '../../core/errors.ts'
import { FairTurns } from '../../core/fair-turns.ts'

const MEBIBYTE = 1024 ** 2
const BOUNDS = { allBytes: 512 * MEBIBYTE, tenantBytes: 160 * MEBIBYTE, atOnce: 4, tenantAtOnce: 2, tenantWaiting: 64 }

export class Intake {
  readonly #bounds: typeof BOUNDS
  readonly #turns: FairTurns
  readonly #held = new Map<string, number>()

  constructor(bounds: Partial<typeof BOUNDS> = {}) {
    this.#bounds = { ...BOUNDS, ...bounds }
    this.#turns = new FairTurns({ atOnce: this.#bounds.atOnce, perKey: this.#bounds.tenantAtOnce })
  }

  /**
   * Reads a body of at most `sizeBytes` and works on it when its turn has come. Throws `unavailable` where there is no room, and
   * what `read` and `work` throw.
   */
  async take<B, T>(
    of: { readonly tenant: string; readonly sizeBytes: number; readonly signal: AbortSignal },
    read: () => Promise<B>,
    work: (body: B) => Promise<T>,
  ): Promise<T> {
    const { tenant, sizeBytes, signal } = of
    this.#hold(tenant, sizeBytes)
    try {
      const body = await read()
      if (this.#turns.waiting(tenant) >= this.#bounds.tenantWaiting) throw full()
      return await this.#turns.take(tenant, () => work(body), signal)
    } finally {
      this.#letGo(tenant, sizeBytes)
    }
  }

  #hold(tenant: string, sizeBytes: number): void {
    const own = this.#held.get(tenant) ?? 0
    const all = [...this.#held.values()].reduce((sum, held) => sum + held, 0)
    if (own + sizeBytes > this.#bounds.tenantBytes || all + sizeBytes > this.#bounds.allBytes) throw full()
    this.#held.set(tenant, own + sizeBytes)
  }

  #letGo(tenant: string, sizeBytes: number): void {
    const left = (this.#held.get(tenant) ?? 0) - sizeBytes
    if (left > 0) this.#held.set(tenant, left)
    else this.#held.delete(tenant)
  }
}

const full = (): AppError =>
  new AppError('unavailable', 'Enough documents are being taken in. Send this one again in a moment.', {
    retryAfterSeconds: 2,
  })
