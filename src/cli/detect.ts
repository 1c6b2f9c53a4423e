// `midwatch detect`: what the gateway's guard would find in texts and do with them, offline. JSON lines {id, text} in, one
// line {id, spans, verdict} out. Offsets count UTF-16 units, as JavaScript's strings do.
import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { Command } from 'commander'
import { detect } from '../privacy/detect.ts'
import type { PiiPolicy } from '../privacy/guard.ts'
import type { Span } from '../privacy/spans.ts'
import { readTexts } from './read-texts.ts'
import { readSettings } from './settings.ts'

interface Options {
  readonly config?: string
  readonly json?: boolean
}

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

async function* detectLines(input: Readable, policy: PiiPolicy): AsyncGenerator<Answer> {
  for await (const line of readTexts(input)) {
    yield line.kind === 'bad'
      ? { kind: 'bad-line', line: line.number, problem: line.problem }
      : { kind: 'found', result: judge(line.id, line.text, policy) }
  }
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
