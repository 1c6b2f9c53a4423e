// The tool calls of one choice, put into order. A chat stream names each by an index and may in principle mix them; in no
// dialect one call ends before the next begins. So a call that begins while another's arguments are not yet whole JSON
// waits. Servers differ in the rest: the index may begin at 1 or be 0 for all, the id may be missing or repeated, the
// name may come again (or empty) with every delta.
import { newId } from '../../core/ids.ts'
import type { AnswerEvent } from '../../llm/events.ts'
import { ProviderFailure } from '../../llm/provider.ts'
import { isObject, type Json, textOf } from '../json.ts'

interface Call {
  /** Among all calls of the choice. */
  readonly place: number
  id: string
  name: string
  opened: boolean
  /** All its arguments so far. */
  json: string
  /** Of these, what has gone out. */
  told: number
  /** Whether the arguments so far are all of them; undefined while nobody has looked. */
  whole: boolean | undefined
}

export class ToolCallOrder {
  readonly #choice: number
  readonly #calls: Call[] = []
  /** The last one under each index and of each id: an answer may have very many. */
  readonly #byIndex = new Map<number, Call>()
  readonly #byId = new Map<string, Call>()
  /** The one whose arguments are told now. */
  #current = 0

  constructor(choice: number) {
    this.#choice = choice
  }

  get any(): boolean {
    return this.#calls.length > 0
  }

  /** Throws ProviderFailure when a call goes on that had ended. */
  take(delta: Json, out: AnswerEvent[]): void {
    const given = isObject(delta['function']) ? delta['function'] : {}
    const id = textOf(delta['id']) ?? ''
    const name = textOf(given['name']) ?? ''
    const call = this.#find(delta['index'], id, name) ?? this.#begin(delta['index'])
    if (call.id === '' && id !== '') {
      call.id = id
      if ((this.#byId.get(id)?.place ?? -1) < call.place) this.#byId.set(id, call)
    }
    if (call.name === '') call.name = name
    const more = argumentsIn(given['arguments'])
    if (more !== '') {
      call.json += more
      call.whole = undefined
    }
    if (more.trim() !== '' && call.place < this.#current) {
      throw new ProviderFailure('upstream_malformed', 'the arguments of a tool call went on after its end')
    }
    this.#advance(false, out)
  }

  /** Something else follows: all calls are told to their end. Throws ProviderFailure when one has no name. */
  end(out: AnswerEvent[]): void {
    if (this.#current < this.#calls.length) this.#advance(true, out)
  }

  #find(index: unknown, id: string, name: string): Call | undefined {
    const sameIndex = typeof index === 'number' ? this.#byIndex.get(index) : undefined
    if (sameIndex) return name !== '' && beginsAnew(sameIndex, id) ? undefined : sameIndex
    if (typeof index === 'number') return undefined
    if (id !== '') return this.#byId.get(id)
    return name === '' ? this.#calls.at(-1) : undefined
  }

  #begin(index: unknown): Call {
    const place = this.#calls.length
    const call: Call = { place, id: '', name: '', opened: false, json: '', told: 0, whole: undefined }
    this.#calls.push(call)
    if (typeof index === 'number') this.#byIndex.set(index, call)
    return call
  }

  #advance(all: boolean, out: AnswerEvent[]): void {
    for (; this.#current < this.#calls.length; this.#current++) {
      const call = this.#calls[this.#current]
      if (!call) return
      if (call.name === '') {
        if (all) throw new ProviderFailure('upstream_malformed', 'a tool call has no name')
        return
      }
      if (!call.opened) {
        call.opened = true
        if (call.id === '') call.id = newId('call')
        out.push({ kind: 'tool-call', choice: this.#choice, id: call.id, name: call.name })
      }
      if (call.told < call.json.length) {
        out.push({ kind: 'tool-arguments', choice: this.#choice, json: call.json.slice(call.told) })
        call.told = call.json.length
      }
      if (all) continue
      if (this.#current === this.#calls.length - 1 || !isWhole(call)) return
    }
  }
}

/** A named delta under an index that is taken is another call if its id differs or the one before is whole. */
const beginsAnew = (call: Call, id: string): boolean =>
  id !== '' && call.id !== '' ? id !== call.id : id === '' && isWhole(call)

/** JSON as text; some servers give it parsed. */
function argumentsIn(value: unknown): string {
  if (typeof value === 'string') return value
  return isObject(value) ? JSON.stringify(value) : ''
}

const isWhole = (call: Call): boolean => (call.whole ??= isJsonObject(call.json))

function isJsonObject(json: string): boolean {
  if (!json.trimEnd().endsWith('}')) return false
  try {
    JSON.parse(json)
    return true
  } catch {
    return false
  }
}
