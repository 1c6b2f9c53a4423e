// An HTTP response as the audience of an answer. A stream's head goes out with its first content; a plain answer is
// kept, for its head tells the cost.
import type { ServerResponse } from 'node:http'
import { formatUsd } from '../../core/money.ts'
import type { AnswerHead, Audience } from '../../gateway/audience.ts'
import { addRateLimits } from '../../gateway/limits/standing.ts'
import type { Facts } from '../../gateway/outcome.ts'
import type { Frame } from '../../llm/frames.ts'

export class HttpAudience implements Audience {
  readonly #response: ServerResponse
  readonly #headers: Readonly<Record<string, string>>
  readonly #kept: Uint8Array[] = []
  /** The head of a stream is out: what follows can only be said inside it. */
  streaming = false

  /** `headers`: what every answer carries. */
  constructor(response: ServerResponse, headers: Readonly<Record<string, string>>) {
    this.#response = response
    this.#headers = headers
  }

  begin(head: AnswerHead): void {
    if (!head.stream) return
    this.streaming = true
    const headers: Record<string, string> = {
      ...this.#headers,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      // Proxies such as nginx would collect the stream otherwise.
      'x-accel-buffering': 'no',
    }
    addTarget(headers, head)
    addRateLimits(headers, head.standing)
    this.#response.writeHead(200, headers)
  }

  write(frames: readonly Frame[]): Promise<void> | undefined {
    if (!this.streaming) {
      for (const { bytes } of frames) this.#kept.push(bytes)
      return undefined
    }
    const bytes = frames.length === 1 && frames[0] ? frames[0].bytes : Buffer.concat(frames.map((frame) => frame.bytes))
    if (this.#response.write(bytes)) return undefined
    return new Promise((resolve) => {
      const done = () => {
        this.#response.off('drain', done)
        this.#response.off('close', done)
        resolve()
      }
      this.#response.once('drain', done)
      this.#response.once('close', done)
    })
  }

  /** Ends a stream. */
  end(closing?: Uint8Array | string): void {
    this.#response.end(closing)
  }

  /** The plain answer. */
  whole(): Uint8Array {
    return this.#kept.length === 1 && this.#kept[0] ? this.#kept[0] : Buffer.concat(this.#kept)
  }
}

/** Everything that is known at the end; a stream's head goes out before, so it has no `x-midwatch-cost-usd`. */
export function factHeaders(facts: Facts): Record<string, string> {
  const headers: Record<string, string> = {}
  const { provider, providerModel, attempts, cache, overheadMs, costMicroUsd } = facts
  if (provider !== null) {
    addTarget(headers, { provider, model: providerModel ?? '', attempts, cache, overheadMs })
    if (costMicroUsd !== null) headers['x-midwatch-cost-usd'] = formatUsd(costMicroUsd)
  }
  addRateLimits(headers, facts.standing)
  return headers
}

function addTarget(
  headers: Record<string, string>,
  { provider, model, attempts, cache, overheadMs }: Omit<AnswerHead, 'stream' | 'standing'>,
): void {
  headers['x-midwatch-provider'] = provider
  headers['x-midwatch-model'] = headerSafe(model)
  headers['x-midwatch-attempts'] = String(attempts)
  // What came from a call under way did not come from the cache.
  headers['x-midwatch-cache'] = cache === 'shared' ? 'miss' : cache
  headers['x-midwatch-overhead-ms'] = overheadMs.toFixed(2)
}

/** A provider may name its models in any script; a header may not. */
const headerSafe = (text: string): string => (/^[\x20-\x7e]*$/.test(text) ? text : encodeURI(text))
