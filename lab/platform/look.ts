// Looks at the shop from outside, as a scraper and a reader of logs do: for the tests of the faults.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { z } from 'zod'
import type { Platform } from './platform.ts'

export interface Sample {
  readonly service: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const targetGroups = z.array(z.object({ targets: z.array(z.string()), labels: z.object({ service: z.string() }) }))
const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g

/** Parses the text format; a line that is neither a comment nor a sample throws. */
function parseMetrics(service: string, text: string): Sample[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', labels = '', value = ''] = LINE.exec(line) ?? []
      if (name === '') throw new Error(`not a metric: ${line}`)
      const parsed = [...labels.matchAll(LABEL)].map(([, key = '', inner = '']) => [key, inner] as const)
      return { service, name, labels: Object.fromEntries(parsed), value: Number(value) }
    })
}

/** Of every target in the platform's file; one that does not answer gives `up` 0, as in Prometheus. */
export async function scrape(platform: Platform): Promise<Sample[]> {
  const groups = targetGroups.parse(JSON.parse(readFileSync(platform.targetFile, 'utf8')))
  const each = groups.map(async ({ targets: [target = ''], labels: { service } }) => {
    try {
      const response = await fetch(`http://${target}/metrics`, { signal: AbortSignal.timeout(3000) })
      const samples = parseMetrics(service, await response.text())
      return [{ service, name: 'up', labels: {}, value: 1 }, ...samples]
    } catch {
      return [{ service, name: 'up', labels: {}, value: 0 }]
    }
  })
  return (await Promise.all(each)).flat()
}

/** Two looks and the time between them. */
export interface Window {
  readonly seconds: number
  /** The sum at the end, over all labels that fit. */
  value(service: string, name: string, where?: Readonly<Record<string, RegExp>>): number
  /** A counter's growth per second. */
  rate(service: string, name: string, where?: Readonly<Record<string, RegExp>>): number
  /** A histogram's mean in seconds; 0 when nothing was observed. */
  mean(service: string, name: string, where?: Readonly<Record<string, RegExp>>): number
}

export async function watchFor(platform: Platform, ms: number): Promise<Window> {
  const startedMs = performance.now()
  const before = await scrape(platform)
  await wait(ms)
  const after = await scrape(platform)
  const seconds = (performance.now() - startedMs) / 1000
  const sum = (
    samples: readonly Sample[],
    service: string,
    name: string,
    where: Readonly<Record<string, RegExp>> = {},
  ) =>
    samples
      .filter((one) => one.service === service && one.name === name)
      .filter((one) => Object.entries(where).every(([label, pattern]) => pattern.test(one.labels[label] ?? '')))
      .reduce((total, one) => total + one.value, 0)
  const growth: Window['rate'] = (service, name, where) =>
    Math.max(0, sum(after, service, name, where) - sum(before, service, name, where))
  return {
    seconds,
    value: (service, name, where) => sum(after, service, name, where),
    rate: (service, name, where) => growth(service, name, where) / seconds,
    mean: (service, name, where) => {
      const count = growth(service, `${name}_count`, where)
      return count === 0 ? 0 : growth(service, `${name}_sum`, where) / count
    },
  }
}

/** Messages that a service logged since then, at least as serious as a warning. */
export function troubleLogged(platform: Platform, service: string, sinceMs: number): readonly string[] {
  const file = join(platform.logsDir, `${service}.log`)
  if (!existsSync(file)) return []
  const line = z.object({ time: z.string(), level: z.string(), service: z.literal(service), msg: z.string() })
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((text) => line.parse(JSON.parse(text)))
    .filter(({ time, level }) => level !== 'info' && Date.parse(time) >= sinceMs)
    .map(({ msg }) => msg)
}
