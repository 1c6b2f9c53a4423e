// `midwatch logs templates`: which template each line of a log is of, offline, in one pass. JSON lines {line, id, template} in the
// order of the input, or for people the templates with how often they came.
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Command } from 'commander'
import { TemplateMiner } from '../diagnosis/log-templates.ts'
import { type MinedLine, TemplateStream } from '../diagnosis/template-stream.ts'
import { readLogLines } from './log-lines.ts'

/** Written at once. */
const CHUNK_CHARS = 64 * 1024

export function logsCommand(): Command {
  return new Command('logs').description('look into log files; works offline').addCommand(
    new Command('templates')
      .description('which template each line is of, with <*> for what varies')
      .argument('<file>', 'a log, plain or in JSON lines with a message, also .gz; - reads from standard input')
      .option('--json', 'print one JSON line for each line of the input: line (from 1), id, template')
      .action(async (file: string, options: { readonly json?: boolean }) => {
        const input = file === '-' ? process.stdin : createReadStream(file)
        // The pipeline waits for a slow reader, so nothing piles up.
        await pipeline(Readable.from(printTemplates(input, options.json)), process.stdout, { end: false })
      }),
  )
}

/** What the command prints of a log, piece by piece. */
export function printTemplates(input: Readable, asJson = false): AsyncGenerator<string> {
  const lines = readLogLines(input)
  return asJson ? toJson(mineLines(lines)) : toTable(lines)
}

async function* mineLines(lines: AsyncIterable<string>): AsyncGenerator<MinedLine> {
  const stream = new TemplateStream()
  for await (const line of lines) if (stream.add(line)) yield* stream.release()
  yield* stream.release()
}

async function* toJson(mined: AsyncIterable<MinedLine>): AsyncGenerator<string> {
  let text = ''
  for await (const one of mined) {
    text += `${JSON.stringify(one)}\n`
    if (text.length < CHUNK_CHARS) continue
    yield text
    text = ''
  }
  if (text !== '') yield text
}

/** Counted by the miner's own ids, for what stood apart when it came may have become one template since. */
async function* toTable(lines: AsyncIterable<string>): AsyncGenerator<string> {
  const miner = new TemplateMiner()
  const counts = new Map<number, number>()
  for await (const line of lines) add(counts, miner.add(line), 1)
  const totals = new Map<number, number>()
  for (const [id, count] of counts) add(totals, miner.currentId(id), count)
  const rows = [...totals].sort(([, a], [, b]) => b - a)
  const width = String(rows[0]?.[1] ?? 0).length
  for (const [id, count] of rows) yield `${String(count).padStart(width)} × ${miner.findTemplate(id)?.text ?? ''}\n`
}

const add = (counts: Map<number, number>, id: number, count: number): void =>
  void counts.set(id, (counts.get(id) ?? 0) + count)
