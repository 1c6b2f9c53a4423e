// `midwatch detect`: what the gateway's guard would find in texts and do with them, offline. JSON lines {id, text} in, one
// line {id, spans, verdict} out. Offsets count UTF-16 units, as JavaScript's strings do.
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { Command } from 'commander'
import { z } from 'zod'
import { AppError } from '../core/errors.ts'
import { detect } from '../privacy/detect.ts'
import type { PiiPolicy } from '../privacy/guard.ts'
import type { Span } from '../privacy/spans.ts'
import { readSettings } from './settings.ts'

interface Options {
  readonly config?: string
  readonly json?: boolean
}

const line = z.object({ id: z.union([z.string(), z.number()]), text: z.string() })

export function detectCommand(): Command {
  return new Command('detect')
    .description('find personal data and secrets in texts as the gateway would; works offline')
    .argument('<file>', 'JSON lines {"id", "text"}; - reads from standard input')
    .option('--config <file>', 'the config file (for its privacy.pii)')
    .option('--json', 'print one JSON line for each text; offsets are in UTF-16 units')
    .action(async (file: string, options: Options) => {
      const policy = readSettings(options.config).config.privacy.pii
      const input = file === '-' ? process.stdin : createReadStream(file)
      for await (const answer of detectLines(input, policy)) {
        if (answer.kind === 'found') console.log(options.json ? JSON.stringify(answer.result) : toText(answer.result))
        else {
          console.error(`Line ${answer.line} ${answer.problem}. Each line has to be {"id": …, "text": "…"}.`)
          process.exitCode = 1
        }
      }
    })
}

interface Result {
  readonly id: string | number
  readonly spans: readonly Span[]
  /** What the gateway would do, and the first rule that says so; `allow` where none does. */
  readonly verdict: { readonly action: string; readonly rule: string | null }
}

type Answer =
  | { readonly kind: 'found'; readonly result: Result }
  | { readonly kind: 'bad-line'; readonly line: number; readonly problem: string }

/** One answer a line, as they come; empty lines are passed over. */
async function* detectLines(input: Readable, policy: PiiPolicy): AsyncGenerator<Answer> {
  let number = 0
  try {
    for await (const written of createInterface({ input, crlfDelay: Infinity })) {
      number++
      if (written.trim() === '') continue
      const read = readLine(number === 1 ? written.replace(/^\uFEFF/, '') : written)
      yield 'problem' in read
        ? { kind: 'bad-line', line: number, problem: read.problem }
        : { kind: 'found', result: judge(read.id, read.text, policy) }
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    throw new AppError('not_found', 'The texts cannot be read.', { cause: error })
  }
}

function readLine(written: string): { id: string | number; text: string } | { problem: string } {
  let value: unknown
  try {
    value = JSON.parse(written)
  } catch {
    return { problem: 'is not JSON' }
  }
  const parsed = line.safeParse(value)
  if (parsed.success) return parsed.data
  const field = parsed.error.issues[0]?.path.join('.') ?? ''
  return { problem: field === '' ? 'is not an object' : `has no right ${field}` }
}

function judge(id: string | number, text: string, policy: PiiPolicy): Result {
  const spans = detect(text).filter(({ type }) => policy.types.includes(type))
  const [first] = spans
  const verdict =
    first === undefined || policy.action === 'off'
      ? { action: 'allow', rule: null }
      : { action: policy.action, rule: `pii.${first.type}` }
  return { id, spans: spans.map(({ start, end, type }) => ({ start, end, type })), verdict }
}

function toText({ id, spans, verdict }: Result): string {
  const found = spans.map(({ start, end, type }) => `${type} at ${start}-${end}`).join(', ')
  return `${id}: ${found === '' ? 'nothing' : found} → ${verdict.action}`
}
