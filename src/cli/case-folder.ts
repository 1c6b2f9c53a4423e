// Reads a case that lies in a folder: what a system measured and wrote around one alert, as files.
//
//   CASE/case.json            id, stepSeconds, alertAt (Unix seconds), symptom: {service, metric?}
//   CASE/metrics.csv[.gz]     timestamp (Unix seconds), service, metric, value
//   CASE/logs.jsonl[.gz]      {timestamp, service, message, level?}
//   CASE/changes.jsonl[.gz]   {id, at, service, kind, summary, from?, to?, author?}
//
// Logs and changes may be missing. A line that cannot be read is an error with its number; a value that is no number is a gap.
import { createReadStream, existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { z } from 'zod'
import { AppError, describeError } from '../core/errors.ts'
import {
  CHANGE_KINDS,
  type Change,
  type Edge,
  type LogLevel,
  type LogLine,
  type Point,
  type Series,
} from '../core/telemetry.ts'
import type { CaseInput } from '../diagnosis/case.ts'

const caseFile = z.object({
  id: z.string(),
  stepSeconds: z.number().positive(),
  alertAt: z.number(),
  symptom: z.object({ service: z.string(), metric: z.string().optional() }),
})

const logLine = z.object({
  timestamp: z.number(),
  service: z.string(),
  message: z.string(),
  level: z.string().optional(),
})

const changeLine = z.object({
  id: z.string(),
  at: z.number(),
  service: z.string(),
  kind: z.enum(CHANGE_KINDS),
  summary: z.string(),
  from: z.string().optional(),
  to: z.string().optional(),
  author: z.string().optional(),
})

/** What was measured and written, without an alert: a case's, or a healthy time's. */
export interface Recording {
  readonly series: readonly Series[]
  readonly logs: readonly LogLine[]
}

export interface CaseFolder {
  readonly id: string
  readonly input: CaseInput
}

/** One case. `topology` is who calls whom in its system. */
export async function readCase(dir: string, topology: readonly Edge[]): Promise<CaseFolder> {
  const about = parseCase(join(dir, 'case.json'), await read(join(dir, 'case.json')))
  const recording = await readRecording(dir, topology)
  const alertAtMs = about.alertAt * 1000
  const { service, metric } = about.symptom
  return {
    id: about.id,
    input: {
      alertAtMs,
      stepMs: about.stepSeconds * 1000,
      symptoms: [{ service, name: metric ?? 'alert', startsAtMs: alertAtMs }],
      ...recording,
      changes: await readChanges(dir),
      topology,
    },
  }
}

/** The metrics and logs in a folder. A series' labels in braces are `name=value` pairs, or one bare value. */
export async function readRecording(dir: string, topology: readonly Edge[]): Promise<Recording> {
  const called = new Set(topology.flatMap(({ caller, callee }) => [caller, callee]))
  const series = new Map<string, Omit<Series, 'points'> & { points: Point[] }>()
  let first = true
  await eachLine(dir, 'metrics.csv', (line, fail) => {
    if (first) {
      first = false
      if (line.startsWith('timestamp')) return
    }
    const cells = splitCsv(line)
    const [time, service, name, value] = cells
    const atMs = Number(time) * 1000
    if (cells.length !== 4 || service === undefined || name === undefined || !Number.isFinite(atMs)) {
      throw fail('needs timestamp, service, metric and value')
    }
    const key = `${service}\u0000${name}`
    let one = series.get(key)
    if (!one) {
      const { metric, labels } = parseMetric(name, called)
      one = { service, metric, as: 'value', labels, query: name, points: [] }
      series.set(key, one)
    }
    const number = value === '' ? Number.NaN : Number(value)
    if (Number.isFinite(number)) one.points.push([atMs, number])
  })
  const logs: LogLine[] = []
  await eachLine(dir, 'logs.jsonl', (line, fail, number) => {
    const parsed = parseJson(logLine, line, fail)
    const { timestamp, service, message } = parsed
    const level = levelOf(parsed.level, message)
    logs.push({ at: timestamp * 1000, service, message, level, ref: `${join(dir, 'logs.jsonl')}:${number}` })
  })
  return { series: [...series.values()], logs }
}

/** The edges of a `caller,callee` file. */
export async function readTopology(file: string): Promise<Edge[]> {
  const lines = (await read(file)).split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('caller,'))
  return lines.map((line, i) => {
    const [caller, callee] = splitCsv(line)
    if (!caller || !callee) throw new AppError('malformed', `${file}: entry ${i + 1} needs a caller and a callee.`)
    return { caller, callee }
  })
}

async function readChanges(dir: string): Promise<Change[]> {
  const changes: Change[] = []
  await eachLine(dir, 'changes.jsonl', (line, fail) => {
    const { at, ...rest } = parseJson(changeLine, line, fail)
    changes.push({ ...rest, at: at * 1000 })
  })
  return changes
}

function parseCase(file: string, text: string) {
  try {
    return caseFile.parse(JSON.parse(text))
  } catch (error) {
    throw new AppError('malformed', `${file}: ${describeFault(error)}.`, { cause: error })
  }
}

const describeFault = (error: unknown): string =>
  error instanceof z.ZodError
    ? error.issues.map(({ path, message }) => `${path.join('.') || 'the file'}: ${message}`).join('; ')
    : describeError(error)

type Fail = (why: string) => AppError

function parseJson<T>(schema: z.ZodType<T>, line: string, fail: Fail): T {
  try {
    return schema.parse(JSON.parse(line))
  } catch (error) {
    throw fail(describeFault(error))
  }
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new AppError('not_found', `${file} cannot be read.`, { cause: error })
  }
}

/** Every line of DIR/NAME or DIR/NAME.gz that is not empty; none when there is no such file. */
async function eachLine(
  dir: string,
  name: string,
  take: (line: string, fail: Fail, number: number) => void,
): Promise<void> {
  const file = [join(dir, name), join(dir, `${name}.gz`)].find((path) => existsSync(path))
  if (file === undefined) return
  const raw = createReadStream(file)
  const text = file.endsWith('.gz') ? raw.pipe(createGunzip()) : raw
  raw.on('error', (error: Error) => text.destroy(error))
  let number = 0
  try {
    for await (const line of createInterface({ input: text, crlfDelay: Number.POSITIVE_INFINITY })) {
      number++
      if (line !== '') take(line, (why) => new AppError('malformed', `${file} line ${number}: ${why}.`), number)
    }
    // A stream that breaks ends the lines without a word.
    if (text.errored) throw text.errored
  } catch (error) {
    if (error instanceof AppError) throw error
    throw new AppError('malformed', `${file} cannot be read.`, { cause: error })
  } finally {
    raw.destroy()
  }
}

/** RFC 4180, one line: cells may be in quotes, with quotes doubled. */
function splitCsv(line: string): string[] {
  if (!line.includes('"')) return line.split(',')
  const cells: string[] = []
  for (const match of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)) {
    cells.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '')
  }
  return cells
}

function parseMetric(name: string, called: ReadonlySet<string>): { metric: string; labels: Record<string, string> } {
  const braces = /^([^{]+)\{(.*)\}$/.exec(name)
  const [, metric, inside] = braces ?? []
  if (metric === undefined || inside === undefined) return { metric: name, labels: {} }
  const pairs = [...inside.matchAll(/([A-Za-z_]\w*)="?([^",]*)"?(?:,|$)/g)]
  if (pairs.length > 0 && pairs.map(([text]) => text).join('') === inside) {
    return { metric, labels: Object.fromEntries(pairs.map(([, label, value]) => [label ?? '', value ?? ''])) }
  }
  const callee = called.has(inside) || metric.startsWith('edge_')
  return { metric, labels: { [callee ? 'callee' : 'operation']: inside } }
}

/** The level that was given, or the word for one near the start of the message. */
function levelOf(level: string | undefined, message: string): LogLevel {
  const word = (
    level ??
    /\b(TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|SEVERE|CRITICAL)\b/.exec(message.slice(0, 80))?.[0] ??
    ''
  ).toLowerCase()
  if (/^(trace|debug)$/.test(word)) return 'debug'
  if (/^warn(ing)?$/.test(word)) return 'warn'
  if (/^(error|severe)$/.test(word)) return 'error'
  if (/^(fatal|critical)$/.test(word)) return 'fatal'
  return word === '' && /\b(exception|error|failed)\b/i.test(message) ? 'error' : 'info'
}
