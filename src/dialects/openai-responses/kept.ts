// What Midwatch answered in Responses on behalf of providers that have none, kept for a while: clients take it for granted
// that what was answered can be referred to (`item_reference`, `previous_response_id`), the Vercel AI SDK even does so
// unasked. In memory, bounded, by tenant, and never where the caller said `store: false`.
import { Buffer } from 'node:buffer'
import { layoutOf, splice } from '../../core/json-members.ts'
import { isObject, type Json, objectsIn, textOf } from '../json.ts'

interface Kept {
  /** An item of an output; or a whole turn, by which another can go on. */
  readonly items: readonly Json[]
  readonly previous: string | null
  readonly sizeBytes: number
  readonly untilMs: number
}

export interface KeepOptions {
  /** ms. */
  readonly now: () => number
  readonly maxBytes?: number
  readonly ttlMs?: number
}

/** A longer chain of turns is not followed. */
const LONGEST_CHAIN = 200

export class KeptResponses {
  readonly #now: () => number
  readonly #maxBytes: number
  readonly #ttlMs: number
  /** The oldest first. */
  readonly #kept = new Map<string, Kept>()
  #sizeBytes = 0

  constructor({ now, maxBytes = 32 * 1024 * 1024, ttlMs = 3_600_000 }: KeepOptions) {
    this.#now = now
    this.#maxBytes = maxBytes
    this.#ttlMs = ttlMs
  }

  /** `request`: as it was expanded. */
  keep(tenant: string, request: Buffer, response: Json): void {
    const body = JSON.parse(request.toString('utf8')) as Json
    if (body['store'] === false) return
    const output = objectsIn(response['output'])
    for (const item of output) this.#put(tenant, textOf(item['id']), [item].filter(isWorthSaying), null)
    const turn = [...inputOf(body), ...output.filter(isWorthSaying)]
    this.#put(tenant, textOf(response['id']), turn, textOf(body['previous_response_id']) ?? null)
  }

  /** The body with all that it refers to and is kept here put in its place; what is not kept stays as it is. */
  expand(tenant: string, body: Buffer): Buffer {
    if (!body.includes('"item_reference"') && !body.includes('"previous_response_id"')) return body
    const request = parsed(body)
    if (!request) return body
    const given = inputOf(request)
    const items = given.map((item) => this.#find(tenant, item)).flatMap((one, i) => one?.items ?? given[i] ?? [])
    const before = this.#chain(tenant, textOf(request['previous_response_id']))
    if (before.length === 0 && items.every((item, i) => item === given[i])) return body
    const input = written([...before, ...items])
    if (input === undefined) return body
    const changed = new Map([['input', input]])
    if (before.length > 0) changed.set('previous_response_id', 'null')
    const members = layoutOf(body).members.filter(({ key }) => changed.has(key))
    return splice(
      body,
      members.map(({ key, start, end }) => ({ start, end, text: changed.get(key) ?? '' })),
    )
  }

  #find(tenant: string, item: Json): Kept | undefined {
    return item['type'] === 'item_reference' ? this.#get(tenant, textOf(item['id'])) : undefined
  }

  /** All turns up to and with that one; none if one of them is not known. */
  #chain(tenant: string, id: string | undefined): readonly Json[] {
    const turns: (readonly Json[])[] = []
    for (let at: string | null | undefined = id; at;) {
      const turn = this.#get(tenant, at)
      if (!turn || turns.push(turn.items) > LONGEST_CHAIN) return []
      at = turn.previous
    }
    return turns.toReversed().flat()
  }

  #get(tenant: string, id: string | undefined): Kept | undefined {
    const key = `${tenant}\n${id ?? ''}`
    const kept = this.#kept.get(key)
    if (!kept || kept.untilMs > this.#now()) return kept
    this.#drop(key, kept)
    return undefined
  }

  #put(tenant: string, id: string | undefined, items: readonly Json[], previous: string | null): void {
    const text = written(items)
    if (id === undefined || text === undefined) return
    const sizeBytes = Buffer.byteLength(text)
    // One alone must not drive out all others.
    if (sizeBytes > this.#maxBytes / 8) return
    const key = `${tenant}\n${id}`
    const before = this.#kept.get(key)
    if (before) this.#drop(key, before)
    this.#kept.set(key, { items, previous, sizeBytes, untilMs: this.#now() + this.#ttlMs })
    this.#sizeBytes += sizeBytes
    for (const [oldest, kept] of this.#kept) {
      if (this.#sizeBytes <= this.#maxBytes && kept.untilMs > this.#now()) break
      this.#drop(oldest, kept)
    }
  }

  #drop(key: string, kept: Kept): void {
    this.#kept.delete(key)
    this.#sizeBytes -= kept.sizeBytes
  }
}

function inputOf({ input }: Json): readonly Json[] {
  return typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : objectsIn(input)
}

/** Reasoning that nobody has proved is for the caller to read; no provider takes it back. */
const isWorthSaying = (item: Json): boolean => item['type'] !== 'reasoning' || item['encrypted_content'] !== undefined

/** undefined where it is nested too deep to be written. */
function written(items: readonly Json[]): string | undefined {
  try {
    return JSON.stringify(items)
  } catch {
    return undefined
  }
}

/** What is wrong with a body, its reader tells. */
function parsed(body: Buffer): Json | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
