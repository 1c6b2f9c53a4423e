// The report over a stretch of time as Markdown, and as plain lines for a terminal: the same words, in the same order.
import { duration } from '../investigation/sentence.ts'
import { cell } from '../markdown.ts'
import { utc } from './reference.ts'
import type { Spread, WeeklyReport } from './weekly-view.ts'

interface Section {
  readonly title: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

const TITLE = 'On-call report'

/** Markdown: a heading and a table a section. Names out of alerts stand in code spans. */
export function weeklyMarkdown(report: WeeklyReport): string {
  const tables = sectionsOf(report, cell).map(({ title, head, rows }) =>
    [
      `## ${title}`,
      '',
      `| ${head.join(' | ')} |`,
      `| ${head.map(() => '---').join(' | ')} |`,
      ...rows.map((row) => `| ${row.join(' | ')} |`),
    ].join('\n'),
  )
  return `${[`# ${TITLE}`, sayStretch(report), ...tables].join('\n\n')}\n`
}

/** For a terminal: columns of equal width. */
export function weeklyText(report: WeeklyReport, bold: (text: string) => string): string {
  const plainName = (text: string) => (text.length > MOST_NAME ? `${text.slice(0, MOST_NAME - 1)}…` : text)
  const tables = sectionsOf(report, plainName).map(({ title, head, rows }) => {
    const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)))
    const line = (row: readonly string[]) =>
      row.map((text, i) => (i === 0 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0))).join('  ')
    return [bold(title), ...[head, ...rows].map((row) => `  ${line(row).trimEnd()}`)].join('\n')
  })
  return [`${TITLE}, ${sayStretch(report)}`, ...tables].join('\n\n')
}

const MOST_NAME = 32

const sayStretch = ({ from, to }: WeeklyReport): string => `${utc(from)} to ${utc(to)}`

function sectionsOf(report: WeeklyReport, name: (text: string) => string): readonly Section[] {
  const { alerts, incidents, times, model, right, recurring, actions } = report
  const more = (cut: boolean) => (cut ? ' (the first ones; there were more)' : '')
  const all: readonly Section[] = [
    {
      title: `Alerts${more(alerts.cutShort)}`,
      head: ['', 'count'],
      rows: [
        ['came in', `${alerts.in}`],
        ['deliveries of them', `${alerts.deliveries}`],
        ['opened an incident', `${alerts.opened}`],
        ['joined one', `${alerts.joined}`],
        ['ignored', `${alerts.ignored}`],
        ['muted', `${alerts.muted}`],
        ['not understood', `${alerts.notUnderstood}`],
        ['not decided yet', `${alerts.waiting}`],
        ['folded away', percent(alerts.foldedAway)],
        ['noise', percent(alerts.noise)],
      ],
    },
    {
      title: 'By rule',
      head: ['decision', 'rule', 'alerts'],
      rows: alerts.byRule.map((one) => [one.decision, one.rule === '' ? '–' : name(one.rule), `${one.alerts}`]),
    },
    {
      title: 'Loudest alerts',
      head: ['name', 'alerts', 'deliveries', 'opened', 'joined', 'ignored', 'muted'],
      rows: alerts.byName.map((one) => [
        name(one.name),
        ...[one.alerts, one.deliveries, one.opened, one.joined, one.ignored, one.muted].map(String),
      ]),
    },
    {
      title: `Incidents${more(incidents.cutShort)}`,
      head: ['', 'count'],
      rows: [
        ['opened', `${incidents.opened}`],
        ['fixed by an action', `${incidents.fixed}`],
        ['ended without one', `${incidents.recovered}`],
        ['still open', `${incidents.stillOpen}`],
        ['cause named', `${incidents.causeNamed}`],
        ['cause not found', `${incidents.abstained}`],
      ],
    },
    {
      title: 'Times',
      head: ['', 'median', 'p90', 'of'],
      rows: [
        ['to detect', ...spreadCells(times.detect)],
        ['to diagnose', ...spreadCells(times.diagnose)],
        ['to approve', ...spreadCells(times.approve)],
        ['to resolve', ...spreadCells(times.resolve)],
      ],
    },
    {
      title: 'How often the diagnosis was right',
      head: ['', 'right', 'wrong', 'share'],
      rows: [
        ['by what people said', `${right.saidRight}`, `${right.saidWrong}`, percent(right.byFeedback)],
        ['by fixes that were verified', `${right.mended}`, `${right.notMended}`, percent(right.byFix)],
      ],
    },
    {
      title: 'Came again',
      head: ['cause', 'now', 'in the 30 days before', 'incidents'],
      rows: recurring.map((one) => [
        name(`${one.kind.replaceAll('_', ' ')} at ${one.service}`),
        `${one.inTime}`,
        `${one.before}`,
        one.incidents.join(', '),
      ]),
    },
    {
      title: 'Actions',
      head: ['name', 'proposed', 'approved', 'refused', 'lapsed', 'done', 'failed', 'uncertain', 'helped'],
      rows: actions.map((one) => [
        name(one.name),
        ...[
          one.proposed,
          one.approved,
          one.refused,
          one.expiredOrVoid,
          one.done,
          one.failed,
          one.uncertain,
          one.helped,
        ].map(String),
      ]),
    },
    {
      title: 'Model calls',
      head: ['', 'count'],
      rows:
        model === null
          ? [['not known', '–']]
          : [
              ['calls', `${model.calls}`],
              ['cost', `$${model.costUsd.toFixed(4)}`],
              ['calls of unknown cost', `${model.callsOfUnknownCost}`],
            ],
    },
  ]
  return all.filter(({ rows }) => rows.length > 0)
}

const percent = (share: number | null): string => (share === null ? '–' : `${(share * 100).toFixed(1)} %`)

const spreadCells = ({ of, medianMs, p90Ms }: Spread): readonly string[] =>
  [medianMs, p90Ms].map((ms) => (ms === null ? '–' : duration(ms))).concat(String(of))
