// How a request fails inside the shop. The status is what the caller gets; the message is what the log gets, and it is
// the real one.

/** Thrown by a handler that knows the answer. */
export class ShopError extends Error {
  override readonly name = 'ShopError'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** A call to another service that brought no good answer. */
export class CallError extends Error {
  override readonly name = 'CallError'
  readonly peer: string
  /** The status the other answered, or undefined when it gave no answer. */
  readonly answered: number | undefined
  /** What a caller of ours is told: 502, 503 or 504. */
  readonly status: number

  constructor(peer: string, status: number, message: string, answered?: number) {
    super(message)
    this.peer = peer
    this.status = status
    this.answered = answered
  }
}

/** The honest status for whatever was thrown: our own fault is a 500. */
export const statusOf = (thrown: unknown): number =>
  thrown instanceof ShopError || thrown instanceof CallError ? thrown.status : 500
