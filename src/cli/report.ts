// `midwatch report`: the last week in figures, for people at a terminal, for programs and for a wiki.
import { styleText } from 'node:util'
import { Command } from 'commander'
import { weeklyMarkdown, weeklyText } from '../incidents/reports/render-weekly.ts'
import { weeklyReport } from '../incidents/reports/weekly-view.ts'
import { callServer, type ServerOptions, withServerOptions } from './client.ts'

type Options = ServerOptions & {
  readonly since: string
  readonly until?: string
  readonly json?: boolean
  readonly markdown?: boolean
}

/** A long stretch is much to count. */
const TIMEOUT_MS = 120_000

export function reportCommand(): Command {
  return withServerOptions(new Command('report'))
    .description('the last week in figures: alerts, noise, incidents, times, cost, how often it was right')
    .option('--since <time>', 'how far back, such as 36h or 30d', '7d')
    .option('--until <time>', 'when it ends, such as 2026-11-23T00:00:00Z (default: now)')
    .option('--json', 'print JSON')
    .option('--markdown', 'print Markdown')
    .action(async ({ since, until, json, markdown, ...server }: Options) => {
      const query = new URLSearchParams({ since, ...(until === undefined ? {} : { until }) })
      const path = `/v1/reports/weekly?${query.toString()}`
      const report = await callServer(server, path, weeklyReport, { timeoutMs: TIMEOUT_MS })
      if (json) console.log(JSON.stringify(report))
      else if (markdown) console.log(weeklyMarkdown(report).trimEnd())
      else console.log(weeklyText(report, (text) => styleText('bold', text, { stream: process.stdout })))
    })
}
