// A sender whose bodies are read by a table of paths: the user's own, from the config, and those of ours that need no
// more than that. Paths are taken apart once.
import type { MappedValue, Mapping } from '../../../config/intake-schema.ts'
import { parseAnyTime } from '../../alert-times.ts'
import { completeAlert, type IncomingAlert, notUnderstood } from '../../incoming-alert.ts'
import { findSeverity } from '../../severity.ts'
import { isObject, textOf } from '../loose.ts'
import type { JsonObject, Reading, Sender } from '../sender.ts'
import { statusOfWord } from '../words.ts'
import { parsePath, type Step, valuesAt } from './paths.ts'

const MAX_ALERTS = 10_000

export interface MappedSender {
  readonly name: string
  readonly aliases?: readonly string[]
  readonly title: string
  readonly mapping: Mapping
  readonly recognises: Sender['recognises']
}

export function mappedSender({ mapping, ...about }: MappedSender): Sender {
  const read = readerOf(about.title, mapping)
  return { ...about, read: (body, { nowMs }) => read(body, nowMs) }
}

type Get = (value: unknown) => string | undefined

function readerOf(title: string, mapping: Mapping): (body: JsonObject, nowMs: number) => Reading {
  const get = (value: MappedValue | undefined): Get => (value === undefined ? () => undefined : getter(value))
  const getAll = (values: Readonly<Record<string, MappedValue>> = {}) =>
    Object.entries(values).map(([name, value]) => [name, getter(value)] as const)
  const items = mapping.alerts === undefined ? undefined : parsePath(mapping.alerts)
  const [name, status, severity, service] = [mapping.name, mapping.status, mapping.severity, mapping.service].map(get)
  const [host, summary, url] = [mapping.host, mapping.summary, mapping.url].map(get)
  const [at, startsAt, endsAt] = [mapping.at, mapping.startsAt, mapping.endsAt].map(get)
  const identity = mapping.identity?.map((value) => getter(value))
  const labels = getAll(mapping.labels)
  const annotations = getAll(mapping.annotations)

  const readOne = (given: unknown, nowMs: number): IncomingAlert => {
    const said = (read: Get | undefined) => read?.(given)
    const called = said(name)
    if (called === undefined)
      return notUnderstood(title, `nothing names the alert (${spell(mapping.name)})`, given, nowMs)
    const word = said(status)
    const stands = word === undefined ? 'firing' : statusOfWord(word)
    if (stands === undefined)
      return notUnderstood(
        title,
        `"${word?.slice(0, 60)}" says neither that it fires nor that it ended (${spell(mapping.status)})`,
        given,
        nowMs,
      )
    const ids = identity?.map((each) => each(given))
    return completeAlert(
      {
        name: called,
        status: stands,
        service: said(service),
        severity: severityOf(said(severity)),
        toldAtMs: parseAnyTime(said(at)),
        startsAtMs: parseAnyTime(said(startsAt)),
        endsAtMs: parseAnyTime(said(endsAt)),
        labels: { ...collect(labels, given), host: said(host) },
        ...(ids?.some((id) => id !== undefined) ? { identifiedBy: { id: ids.map((id) => id ?? '').join('\n') } } : {}),
        annotations: { summary: said(summary), state: word, ...collect(annotations, given) },
        urls: [said(url)],
      },
      nowMs,
    )
  }

  return (body, nowMs) => {
    if (items === undefined) return { alerts: [readOne(body, nowMs)] }
    const found = valuesAt(body, items)
    const each = (found.length === 1 && Array.isArray(found[0]) ? found[0] : found) as readonly unknown[]
    if (each.length === 0 || each.length > MAX_ALERTS) {
      const reason = `${mapping.alerts ?? ''} has ${each.length} alerts, and 1 to ${MAX_ALERTS.toLocaleString('en')} are taken`
      return { alerts: [notUnderstood(title, reason, body, nowMs)] }
    }
    return { alerts: each.map((item) => readOne(item, nowMs)) }
  }
}

const collect = (readers: readonly (readonly [string, Get])[], given: unknown) =>
  Object.fromEntries(readers.map(([name, read]) => [name, read(given)] as const))

/** Some say a number with a word: `1 (critical)`. */
const severityOf = (word: string | undefined): string | undefined =>
  findSeverity(word) === undefined ? (word?.split(/[^A-Za-z0-9]+/).find((piece) => findSeverity(piece)) ?? word) : word

function getter(value: MappedValue): Get {
  const about = typeof value === 'string' || Array.isArray(value) ? { path: value } : value
  const paths = about.path === undefined ? [] : [about.path].flat().map(parsePath)
  const values = new Map(
    Object.entries('values' in about ? (about.values ?? {}) : {}).map(([from, to]) => [from.toLowerCase(), to]),
  )
  const fallback = 'default' in about ? about.default : undefined
  return (given) => {
    const found = firstText(given, paths)
    if (found === undefined) return fallback
    return values.get(found.toLowerCase()) ?? found
  }
}

function firstText(given: unknown, paths: readonly (readonly Step[])[]): string | undefined {
  for (const path of paths) {
    const texts = valuesAt(given, path)
      .flatMap((each) => (Array.isArray(each) ? (each as readonly unknown[]) : [each]))
      .map((each) => (isObject(each) ? undefined : textOf(each)))
      .filter((each) => each !== undefined)
    if (texts.length > 0) return texts.join(', ')
  }
  return undefined
}

const spell = (value: MappedValue | undefined): string =>
  value === undefined
    ? ''
    : [typeof value === 'string' || Array.isArray(value) ? value : (value.path ?? [])].flat().join(', ')
