// What stands for what in one request. The placeholders are numbered in the order in which values first appear, so that
// a conversation that grows gives the same ones again: the provider's prompt cache holds, and signed reasoning in which
// one occurs comes out as it was. A number that the request's own text uses is passed over: nobody can speak of a
// placeholder before we made it.
import { inspect } from 'node:util'
import type { PiiType } from './spans.ts'

const WRITTEN = /(EMAIL|PHONE|CARD|SSN|IBAN|IP|SECRET)-(\d{1,9})/gi

/** `[EMAIL-1]`: capitals and a hyphen pass unchanged through JSON, HTML, Markdown and URLs, and end in what no number continues. */
export class Vault {
  readonly #originals = new Map<string, string>()
  readonly #placeholders = new Map<string, string>()
  readonly #next = new Map<PiiType, number>()
  readonly #taken = new Set<string>()

  /** `text`: all of the request, with the escapes of JSON undone. */
  constructor(text: string) {
    for (const [name] of text.matchAll(WRITTEN)) this.#taken.add(name.toUpperCase())
  }

  get isEmpty(): boolean {
    return this.#originals.size === 0
  }

  /** The same for the same value. */
  placeholderFor(type: PiiType, value: string): string {
    const known = this.#placeholders.get(`${type} ${value}`)
    if (known !== undefined) return known
    let name: string
    let number = this.#next.get(type) ?? 1
    while (this.#taken.has((name = `${type.toUpperCase()}-${number}`))) number++
    this.#next.set(type, number + 1)
    const placeholder = `[${name}]`
    this.#placeholders.set(`${type} ${value}`, placeholder)
    this.#originals.set(placeholder, value)
    return placeholder
  }

  originalOf(placeholder: string): string | undefined {
    return this.#originals.get(placeholder)
  }

  /** Whether one of the placeholders begins so. */
  mayBegin(text: string): boolean {
    if (!/^\[(?:[A-Z]{0,6}|(?:EMAIL|PHONE|CARD|SSN|IBAN|IP|SECRET)-\d{0,9})$/.test(text)) return false
    for (const placeholder of this.#originals.keys()) if (placeholder.startsWith(text)) return true
    return false
  }

  toJSON(): string {
    return '***'
  }

  [inspect.custom](): string {
    return `Vault of ${this.#originals.size}`
  }
}

/** Anything that looks like a placeholder. */
export const PLACEHOLDERS = /\[(?:EMAIL|PHONE|CARD|SSN|IBAN|IP|SECRET)-\d{1,9}\]/g
/** No placeholder is longer. */
export const LONGEST_PLACEHOLDER = '[SECRET-999999999]'.length
