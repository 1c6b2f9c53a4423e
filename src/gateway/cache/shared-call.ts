// One call and all who listen to it. To the call it is the audience; to each listener it is the call. Everything is kept
// that a newcomer needs to catch up, until the answer is too large for that.
import type { Frame } from '../../llm/frames.ts'
import type { AnswerHead, Audience } from '../audience.ts'
import type { Begin, Listener, SharedEnd } from './coalescer.ts'

/** An answer that has grown so large takes no newcomers, and what everybody has is let go. */
const REPLAY_BYTES = 1024 * 1024
/** So far may one fall behind the fastest. */
const LAG_BYTES = 4 * 1024 * 1024

interface Place<T> {
  readonly audience: Audience
  /** The number of the next frame it gets. */
  next: number
  /** How much of the answer was handed to it. */
  takenBytes: number
  /** It asked to be awaited. */
  busy: boolean
  readonly settle: (end: SharedEnd<T>) => void
  readonly fail: (error: unknown) => void
}

type End<T> = { readonly outcome: T; readonly payer: Place<T> | undefined } | { readonly error: unknown }

export class SharedCall<T> implements Audience {
  readonly #close: () => void
  readonly #over = new AbortController()
  /** In the order in which they came. */
  readonly #places = new Set<Place<T>>()
  #head: AnswerHead | undefined
  /** The first one has the number `#from`. */
  #frames: Frame[] = []
  #from = 0
  #sizeBytes = 0
  #open = true
  #end: End<T> | undefined
  #resume: (() => void) | undefined

  /** `close` is called once nobody can join any more. */
  constructor(close: () => void) {
    this.#close = close
  }

  start(begin: Begin<T>): void {
    begin(this, this.#over.signal).then(
      (outcome) => this.#finish({ outcome, payer: [...this.#places][0] }),
      (error: unknown) => this.#finish({ error }),
    )
  }

  join({ audience, signal }: Listener): Promise<SharedEnd<T>> {
    return new Promise((resolve, reject) => {
      const onAbort = () => this.#leave(place, signal.reason)
      const done = () => {
        signal.removeEventListener('abort', onAbort)
        this.#places.delete(place)
      }
      const place: Place<T> = {
        audience,
        next: 0,
        takenBytes: 0,
        busy: false,
        settle: (end) => {
          done()
          resolve(end)
        },
        fail: (error) => {
          done()
          reject(error)
        },
      }
      this.#places.add(place)
      signal.addEventListener('abort', onAbort, { once: true })
      this.#serve(place)
    })
  }

  begin(head: AnswerHead): void {
    this.#head = head
  }

  write(frames: readonly Frame[]): Promise<void> | undefined {
    for (const frame of frames) {
      this.#frames.push(frame)
      this.#sizeBytes += frame.bytes.length
    }
    if (this.#sizeBytes > REPLAY_BYTES) this.#shut()
    for (const place of this.#places) this.#serve(place)
    this.#dropLaggards()
    this.#trim()
    if (this.#places.size === 0 || this.#idle()) return undefined
    // The fastest sets the pace.
    return new Promise((resolve) => {
      this.#resume = resolve
    })
  }

  /** Hands over what it has not got yet, unless it asked to be awaited; at the end of the call, tells it the end. */
  #serve(place: Place<T>): void {
    try {
      const upTo = this.#from + this.#frames.length
      if (!place.busy && place.next < upTo) {
        const frames = this.#frames.slice(place.next - this.#from)
        if (place.next === 0 && this.#head) place.audience.begin(this.#head)
        place.next = upTo
        place.takenBytes = this.#sizeBytes
        const full = place.audience.write(frames)
        if (full) this.#await(place, full)
      }
      if (!place.busy && this.#end) this.#tell(place, this.#end)
    } catch (error) {
      // One whose own connection fails disturbs nobody else.
      this.#places.delete(place)
      place.fail(error)
      this.#abandonIfAlone(error)
    }
  }

  #await(place: Place<T>, full: Promise<void>): void {
    place.busy = true
    const free = () => {
      place.busy = false
      if (!this.#places.has(place)) return
      this.#serve(place)
      this.#trim()
      if (!place.busy) this.#goOn()
    }
    full.then(free, free)
  }

  #tell(place: Place<T>, end: End<T>): void {
    if ('error' in end) place.fail(end.error)
    else place.settle({ kind: 'ended', outcome: end.outcome, pays: place === end.payer })
  }

  #leave(place: Place<T>, reason: unknown): void {
    if (this.#end) return this.#tell(place, this.#end)
    if (this.#places.size > 1) {
      place.settle({ kind: 'left' })
      return this.#goOn()
    }
    // It keeps its place until the call has ended, for it is the one who pays.
    place.busy = false
    place.next = Infinity
    this.#abandon(reason)
  }

  #abandonIfAlone(reason: unknown): void {
    if (this.#places.size === 0) this.#abandon(reason)
  }

  #abandon(reason: unknown): void {
    this.#shut()
    this.#over.abort(reason)
    this.#goOn()
  }

  #finish(end: End<T>): void {
    this.#end = end
    this.#shut()
    for (const place of this.#places) this.#serve(place)
  }

  #shut(): void {
    this.#open = false
    this.#close()
  }

  /** Those who are too far behind, as long as somebody is not. */
  #dropLaggards(): void {
    const far = [...this.#places].filter(({ busy, takenBytes }) => busy && this.#sizeBytes - takenBytes > LAG_BYTES)
    if (far.length < this.#places.size) for (const place of far) place.settle({ kind: 'dropped' })
  }

  /** Lets go of what everybody has, once no newcomer can want it. */
  #trim(): void {
    if (this.#open) return
    let needed = this.#from + this.#frames.length
    for (const { next } of this.#places) needed = Math.min(needed, next)
    this.#frames = this.#frames.slice(needed - this.#from)
    this.#from = needed
  }

  #idle(): boolean {
    for (const { busy } of this.#places) if (!busy) return true
    return false
  }

  #goOn(): void {
    this.#resume?.()
    this.#resume = undefined
  }
}
