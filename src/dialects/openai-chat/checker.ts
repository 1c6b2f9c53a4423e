// What the grammar of a chat stream forbids: a choice that goes on after its finish, a tool call without a name or named
// twice, words after the end mark, an end without it. What passed as it came may lack forms that no client needs.
import type { StreamChecker } from '../../llm/dialect.ts'
import { isObject, type Json, objectsIn } from '../json.ts'

interface Choice {
  role: boolean
  finished: boolean
  calls: number
}

export class ChatChecker implements StreamChecker {
  readonly #choices = new Map<unknown, Choice>()
  #id: unknown
  #over: 'done' | 'failed' | undefined
  readonly #formal: boolean

  constructor({ formal }: { readonly formal: boolean }) {
    this.#formal = formal
  }

  see(event: string | null, data: unknown): string | null {
    if (this.#over) return `something after the ${this.#over === 'done' ? 'end mark' : 'error'}`
    if (this.#formal && event !== null && event !== 'error') return `an event named ${event}`
    if (data === '[DONE]') {
      const wrong = this.#unfinished()
      this.#over = 'done'
      return wrong
    }
    if (!isObject(data)) return 'a chunk that is no object'
    if (data['error'] !== undefined) {
      this.#over = 'failed'
      return null
    }
    return this.#chunk(data)
  }

  end(): string | null {
    return this.#over ? null : 'no end mark'
  }

  #chunk(chunk: Json): string | null {
    if (!Array.isArray(chunk['choices'])) return 'a chunk without choices'
    const choices = objectsIn(chunk['choices'])
    if (choices.length === 0) return null
    if (this.#formal && this.#id !== undefined && chunk['id'] !== this.#id) return 'the id changed'
    this.#id = chunk['id']
    for (const choice of choices) {
      const wrong = this.#choice(choice)
      if (wrong) return wrong
    }
    return null
  }

  #choice(said: Json): string | null {
    const index = said['index']
    if (typeof index !== 'number') return 'a choice without an index'
    const delta = said['delta']
    if (!isObject(delta)) return 'a choice without a delta'
    let choice = this.#choices.get(index)
    if (!choice) this.#choices.set(index, (choice = { role: false, finished: false, calls: 0 }))
    if (choice.finished) return `choice ${index} went on after its finish`
    if (delta['role'] !== undefined) choice.role = true
    else if (this.#formal && !choice.role) return `choice ${index} began without a role`
    const wrong = checkCalls(choice, objectsIn(delta['tool_calls']))
    if (wrong) return wrong
    const finish = said['finish_reason']
    if (finish === null || finish === undefined) return null
    choice.finished = true
    return finish === 'stop' && choice.calls > 0 ? 'tool calls ended as stop' : null
  }

  #unfinished(): string | null {
    const open = [...this.#choices].find(([, { finished }]) => !finished)
    if (open) return `choice ${String(open[0])} has no finish`
    return this.#choices.size === 0 ? 'no choice' : null
  }
}

function checkCalls(choice: Choice, calls: readonly Json[]): string | null {
  for (const call of calls) {
    const index = call['index']
    if (typeof index !== 'number' || index > choice.calls) return 'a tool call out of order'
    const given = isObject(call['function']) ? call['function'] : {}
    const names = typeof call['id'] === 'string' && typeof given['name'] === 'string'
    if (index < choice.calls) {
      if (call['id'] !== undefined || given['name'] !== undefined) return `tool call ${index} was named twice`
    } else if (names) choice.calls++
    else return `tool call ${index} has no id or no name`
  }
  return null
}
