// Recorded bodies with what they mean, and how an alert is compared with that.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { placesOf } from '../../alert-service.ts'
import type { IncomingAlert } from '../../incoming-alert.ts'
import { createSenders } from '../all.ts'
import { decodeBody } from '../decode-body.ts'
import { readBody } from '../read-delivery.ts'

/** Long after all of the bodies were recorded. */
export const NOW = Date.UTC(2026, 10, 26, 4)

const expectedAlert = z.strictObject({
  name: z.string(),
  status: z.enum(['firing', 'resolved']),
  severity: z.string(),
  service: z.string().nullable(),
  hosts: z.array(z.string()),
  url: z.string().optional(),
  startsAt: z.string().optional(),
  endsAt: z.string().optional(),
  partial: z.boolean().optional(),
  decided: z.enum(['ignored', 'not_understood']).optional(),
})
export type ExpectedAlert = z.output<typeof expectedAlert>

const recorded = z.strictObject({
  name: z.string(),
  source: z.string(),
  licence: z.string(),
  body: z.record(z.string(), z.unknown()).optional(),
  /** Of what is no JSON. */
  text: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  expected: z.array(expectedAlert),
  /** The name of another of the same sender that tells of the same alert. */
  sameAs: z.string().optional(),
})
export type Recorded = z.output<typeof recorded>

const FOLDER = join(import.meta.dirname, '..')

/** Each sender that has recorded bodies, with them. */
export function loadRecorded(): readonly (readonly [string, readonly Recorded[]])[] {
  return readdirSync(FOLDER)
    .map((sender) => [sender, join(FOLDER, sender, 'recorded.json')] as const)
    .filter(([, file]) => existsSync(file))
    .map(([sender, file]) => [sender, z.array(recorded).parse(JSON.parse(readFileSync(file, 'utf8')))] as const)
}

/** What the bodies of the wider set mean, by their number in it. */
export const loadExpected = () =>
  z
    .record(z.string(), z.strictObject({ sender: z.string(), alerts: z.array(expectedAlert) }))
    .parse(JSON.parse(readFileSync(join(import.meta.dirname, 'expected.json'), 'utf8')))

const senders = createSenders({ senders: {} })

/** The bytes of a body read by a sender, as a request would be. */
export function readBytes(
  sender: string,
  bytes: Uint8Array,
  contentType = 'application/json',
  headers: Record<string, string> = {},
): readonly IncomingAlert[] {
  const reader = senders.find(sender)
  if (!reader) throw new Error(`there is no sender ${sender}`)
  const body = decodeBody(bytes, contentType, reader.readText !== undefined)
  return readBody(reader, body, { headers, nowMs: NOW }).alerts
}

export function recognise(body: Record<string, unknown>, headers: Record<string, string> = {}): string {
  const decoded = decodeBody(Buffer.from(JSON.stringify(body)), 'application/json', false)
  return senders.recognise((decoded.kind === 'json' ? decoded.objects[0] : undefined) ?? {}, headers).name
}

export const bytesOf = ({ body, text }: Recorded): Buffer => Buffer.from(text ?? JSON.stringify(body))

export const readRecorded = (sender: string, one: Recorded): readonly IncomingAlert[] =>
  readBytes(sender, bytesOf(one), one.text === undefined ? 'application/json' : 'text/plain', one.headers)

/** As much of an alert as is expected of it. */
export function toExpected(alert: IncomingAlert, like: ExpectedAlert | undefined): Record<string, unknown> {
  const all: Record<keyof ExpectedAlert, unknown> = {
    name: alert.name,
    status: alert.status,
    severity: alert.severity,
    service: alert.service,
    hosts: placesOf(alert.labels),
    url: alert.url,
    startsAt: new Date(alert.startsAtMs).toISOString(),
    endsAt: alert.endsAtMs === null ? null : new Date(alert.endsAtMs).toISOString(),
    partial: alert.partial,
    decided: alert.decided?.kind,
  }
  return Object.fromEntries(
    Object.entries(all).filter(
      ([key]) =>
        like === undefined ||
        key in like ||
        (key === 'partial' && alert.partial) ||
        (key === 'decided' && alert.decided),
    ),
  )
}
