// The one contract of all senders, on recorded bodies and on what may become of them on the way.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { AppError } from '../../core/errors.ts'
import type { IncomingAlert } from '../incoming-alert.ts'
import {
  bytesOf,
  loadExpected,
  loadRecorded,
  NOW,
  readBytes,
  readRecorded,
  recognise,
  toExpected,
} from './testing/recorded.ts'

const all = loadRecorded()

/** What must hold of every alert, whatever the body was. */
function checkSound(alerts: readonly IncomingAlert[]): void {
  if (alerts.length === 0) throw new Error('the body disappeared')
  for (const alert of alerts) {
    const problem = problemOf(alert)
    if (problem !== undefined) throw new Error(`${problem}: ${JSON.stringify(alert)}`)
  }
}

function problemOf(alert: IncomingAlert): string | undefined {
  if (!/^[0-9a-f]{32}$/.test(alert.identity) || !/^[0-9a-f]{32}$/.test(alert.fingerprint)) return 'no hash'
  if (!['firing', 'resolved'].includes(alert.status)) return 'no state'
  if (!['critical', 'error', 'warning', 'info'].includes(alert.severity)) return 'no severity'
  if (alert.service !== null && typeof alert.service !== 'string') return 'no service'
  if (alert.name.length === 0 || alert.name.length > 200) return 'no good name'
  if (!Number.isSafeInteger(alert.startsAtMs)) return 'no beginning'
  if (alert.status === 'resolved' ? !Number.isSafeInteger(alert.endsAtMs) : alert.endsAtMs !== null) return 'its end'
  if (alert.url !== null && !/^https?:\/\//i.test(alert.url)) return 'no link'
  const texts: readonly unknown[] = [...Object.values(alert.labels), ...Object.values(alert.annotations)]
  return texts.every((text) => typeof text === 'string' && text.length <= 10_000 && text.isWellFormed())
    ? undefined
    : 'a text that is none'
}

/** Understood, kept, or refused with a reason that says what is wrong; never anything else. */
function outcome(read: () => readonly IncomingAlert[]): string {
  try {
    const alerts = read()
    checkSound(alerts)
    return alerts.some(({ decided }) => decided?.kind === 'not_understood') ? 'kept' : 'understood'
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    if (![400, 413, 415].includes(error.status) || error.message.length < 20) throw error
    return 'refused'
  }
}

describe.each(all)('%s', (sender, recorded) => {
  test.each(recorded.map((one) => [one.name, one] as const))('%s means what it says', (_, one) => {
    const alerts = readRecorded(sender, one)
    checkSound(alerts)
    expect(alerts.map((alert, i) => toExpected(alert, one.expected[i]))).toEqual(one.expected)
  })

  const pairs = recorded.flatMap((one) => {
    const first = recorded.find(({ name }) => name === one.sameAs)
    return first ? [[one.name, one, first] as const] : []
  })
  test.skipIf(pairs.length === 0).each(pairs)('%s tells of the same alert as before', (_, one, first) => {
    expect(readRecorded(sender, one)[0]?.identity).toBe(readRecorded(sender, first)[0]?.identity)
  })

  const bodies = recorded.filter(({ body }) => body !== undefined)
  test.each(bodies.map((one) => [one.name, one] as const))('%s means the same however it is encoded', (_, one) => {
    const plain = readRecorded(sender, one)
    const text = bytesOf(one).toString()
    const wide = Buffer.from(text, 'utf16le')
    const ways: Record<string, readonly [Uint8Array, string?]> = {
      'a byte order mark': [Buffer.from(`\uFEFF${text}`)],
      'UTF-16 with a mark': [Buffer.concat([Buffer.from([0xff, 0xfe]), wide])],
      'UTF-16 of the other order with a mark': [Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(wide).swap16()])],
      'UTF-16 without a mark': [wide],
      'UTF-16 by its name': [wide, 'application/json; charset=utf-16le'],
      'plain text, as SNS sends it': [Buffer.from(text), 'text/plain; charset=UTF-8'],
      'no type': [Buffer.from(text), ''],
      'JSON inside a JSON string': [Buffer.from(JSON.stringify(text))],
      'a form': [Buffer.from(new URLSearchParams({ payload: text }).toString()), 'application/x-www-form-urlencoded'],
      'a list of one': [Buffer.from(`[${text}]`)],
      'a recipe around it': [Buffer.from(`{"payload":${text},"parameters":{}}`)],
    }
    for (const [way, [bytes, type]] of Object.entries(ways))
      expect([way, readBytes(sender, bytes, type, one.headers)]).toEqual([way, plain])
  })

  test('a list of several bodies is all of their alerts', () => {
    const few = bodies.slice(0, 2)
    const list = Buffer.from(JSON.stringify(few.map(({ body }) => body)))
    expect(readBytes(sender, list, 'application/json', few[0]?.headers)).toHaveLength(
      few.reduce((sum, one) => sum + one.expected.length, 0),
    )
  })

  test('any field may be missing, null, huge or of another type', () => {
    for (const { body, headers } of bodies)
      for (const path of pathsOf(body))
        for (const bad of [undefined, null, -1e308, true, 'x'.repeat(12_000), [null], { a: { b: [] } }]) {
          const bytes = Buffer.from(JSON.stringify(replaced(body, path, bad) ?? null))
          outcome(() => readBytes(sender, bytes, 'application/json', headers))
        }
  })

  test('a word that every object inherits means nothing in any field', () => {
    for (const { body, headers } of bodies)
      for (const path of pathsOf(body))
        for (const inherited of ['constructor', '__proto__', 'toString'])
          outcome(() => readBytes(sender, Buffer.from(JSON.stringify(replaced(body, path, inherited))), '', headers))
  })

  test('numbers as text and objects as text mean the same', () => {
    for (const one of bodies) {
      const asText = JSON.parse(JSON.stringify(one.body), (_, value: unknown) =>
        typeof value === 'number' && sender !== 'alertmanager' ? String(value) : value,
      ) as unknown
      const alerts = readBytes(sender, Buffer.from(JSON.stringify(asText)), 'application/json', one.headers)
      expect(alerts.map((alert, i) => toExpected(alert, one.expected[i]))).toEqual(one.expected)
    }
  })

  test('whatever JSON comes, it is understood, kept, or refused with a reason', () => {
    const noise = fc.record({ body: fc.jsonValue(), at: fc.nat(), one: fc.nat() })
    fc.assert(
      fc.property(noise, ({ body, at, one }) => {
        const { body: whole } = bodies[one % bodies.length] ?? { body: {} }
        const paths = pathsOf(whole)
        const changed = replaced(whole, paths[at % paths.length] ?? [], body)
        outcome(() => readBytes(sender, Buffer.from(JSON.stringify(changed))))
        outcome(() => readBytes(sender, Buffer.from(JSON.stringify(body))))
      }),
      { numRuns: 100 },
    )
  })
})

test('a body that is sent to no sender in particular is known by its shape', () => {
  for (const [sender, recorded] of all)
    for (const { body, headers, expected, name } of recorded)
      if (body && sender !== 'generic' && expected[0]?.decided !== 'not_understood')
        expect([name, recognise(body, headers)]).toEqual([name, sender])
})

test('bytes that are no text, and types that are none of ours, are refused saying so', () => {
  const refusal = (bytes: Uint8Array, type: string) => {
    try {
      readBytes('generic', bytes, type)
      return 'taken'
    } catch (error) {
      return error instanceof AppError ? `${error.status} ${error.message}` : 'crash'
    }
  }
  const latin = Buffer.from('{"title":"Größe"}', 'latin1')
  expect(refusal(latin, 'application/json')).toMatch(/^400 .*not UTF-8.*charset/)
  expect(refusal(Buffer.from('{"title":"Größe"}'), 'application/json; charset=utf-16')).toMatch(
    /^400 .*(?:UTF-16|not JSON)/,
  )
  expect(refusal(latin, 'application/json; charset=klingon')).toMatch(/^415 .*klingon/)
  expect(refusal(Buffer.from('<a/>'), 'application/xml')).toMatch(/^415 .*application\/xml/)
  expect(refusal(Buffer.from('x'), 'multipart/form-data; boundary=x')).toMatch(/^415/)
  expect(readBytes('generic', latin, 'application/json; charset=iso-8859-1')[0]?.name).toBe('Größe')
})

/** The wider set lies beside the checkout, where there is one. */
const SET = join(import.meta.dirname, '../../../../shared/data/alerts/payloads.jsonl')
const row = z.object({
  id: z.number(),
  vendor: z.string(),
  name: z.string(),
  payload: z.record(z.string(), z.unknown()),
})

describe.skipIf(!existsSync(SET))('the wider set of recorded bodies (skipped where ../shared/data is missing)', () => {
  const rows = existsSync(SET)
    ? readFileSync(SET, 'utf8')
        .trim()
        .split('\n')
        .map((line) => row.parse(JSON.parse(line)))
    : []
  const expected = loadExpected()

  test.each(rows.map((one) => [`${one.id} ${one.vendor}: ${one.name}`, one] as const))('%s', (_, { id, payload }) => {
    const { sender, alerts } = expected[String(id)] ?? { sender: 'missing', alerts: [] }
    const read = readBytes(sender, Buffer.from(JSON.stringify(payload)))
    checkSound(read)
    expect(read.map((alert, i) => toExpected(alert, alerts[i]))).toEqual(alerts)
    expect(recognise(payload)).toBe(sender)
  })
})

type Path = readonly (string | number)[]

/** Where something stands in a value, the whole first. */
function pathsOf(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  return [
    path,
    ...Object.entries(value).flatMap(([key, each]) =>
      pathsOf(each, [...path, Array.isArray(value) ? Number(key) : key]),
    ),
  ]
}

function replaced(value: unknown, [step, ...rest]: Path, by: unknown): unknown {
  if (step === undefined) return by
  if (Array.isArray(value)) return value.map((each: unknown, i) => (i === step ? replaced(each, rest, by) : each))
  const inner = (value as Record<string, unknown>)[step]
  return { ...(value as object), [step]: replaced(inner, rest, by) }
}

test.each(all.map(([sender]) => sender))(
  '%s: what nests without end, or is long without end, takes no time and breaks nothing',
  (sender) => {
    const deep = `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`
    outcome(() => readBytes(sender, Buffer.from(deep)))
    outcome(() =>
      readBytes(
        sender,
        Buffer.from(`{"title":${deep},"alert":${deep},"event":${deep},"data":${deep},"messages":[${deep}]}`),
      ),
    )
    for (const piece of ['{', '[', ' ', 'a ', '[ok] ', '<https://', '**', 're: ', '\\n', ':', '=?', 'host '])
      for (const name of ['title', 'text', 'tags', 'subject', 'message'])
        outcome(() =>
          readBytes(sender, Buffer.from(JSON.stringify({ title: 'x', [name]: `a${piece.repeat(20_000)}` }))),
        )
  },
)

test('times that are still to come are not believed', () => {
  const body = Buffer.from('{"title":"A","status":"ok","timestamp":"9999-12-31T23:59:59Z"}')
  expect(readBytes('generic', body)[0]).toMatchObject({ status: 'resolved', endsAtMs: NOW })
})
