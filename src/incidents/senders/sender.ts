// What it takes to understand one sender's bodies. A reader never throws over a field that is odd or missing where it
// can go on without it; what it cannot read at all it hands on as such, with the reason, so that it is kept and shown.
// Only a batch in which one alert is broken is refused, whole, naming the field (`malformed`).
import type { IncomingHttpHeaders } from 'node:http'
import type { NewJob } from '../../db/queue.ts'
import type { IncomingAlert } from '../incoming-alert.ts'

export type JsonObject = Readonly<Record<string, unknown>>

export interface ReadContext {
  readonly headers: IncomingHttpHeaders
  readonly nowMs: number
}

export interface Reading {
  /** In the sender's order. */
  readonly alerts: readonly IncomingAlert[]
  /** How many the body held, where that differs from the lives it tells of. */
  readonly accepted?: number
  /** How many the sender left out by its own word. */
  readonly truncated?: number
  /** Work that the body asks for, written in the same transaction. */
  readonly jobs?: readonly NewJob[]
}

export interface Sender {
  /** Its part of the address, and the `source` of its alerts. */
  readonly name: string
  /** Other words by which people look for it. */
  readonly aliases?: readonly string[]
  /** As people write it. */
  readonly title: string
  /** Whether a body is of its shape, for those that are sent to no address in particular. */
  recognises(body: JsonObject, headers: IncomingHttpHeaders): boolean
  read(body: JsonObject, context: ReadContext): Reading
  /** For those whose bodies may be plain text. */
  readText?(text: string, context: ReadContext): Reading
}
