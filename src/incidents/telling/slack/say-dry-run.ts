// What would happen, as an answer that only the asker sees.
import { tellPlainly } from '../../told-text.ts'
import type { DryRunView } from '../../view.ts'
import { clip, escape } from './mrkdwn.ts'

const MAX_TEXT = 3000

export function sayDryRun({ would, preconditions, inTheWay, trial }: DryRunView): string {
  const said = (text: string): string => clip(escape(tellPlainly(text)), 500)
  const what =
    would.kind === 'http'
      ? `It would send ${said(would.method)} ${said(would.url)}${fields(would.body, said)}`
      : `It would run ${said(would.argv.join(' '))}`
  const lines = [
    `${what}.`,
    ...preconditions.map(
      ({ says, holds, seen }) => `${holds ? 'Holds' : 'Does not hold'}: ${said(says)} (${said(seen)})`,
    ),
    inTheWay === null ? 'Nothing stands in its way now.' : `In its way: ${said(inTheWay)}`,
    trial === null ? '' : `Its own trial answers ${trial.kind}: ${said(trial.detail)}`,
  ]
  return clip(lines.filter((line) => line !== '').join('\n'), MAX_TEXT)
}

const fields = (body: Readonly<Record<string, string>>, said: (text: string) => string): string => {
  const given = Object.entries(body).map(([name, value]) => `${said(name)}: ${said(value)}`)
  return given.length === 0 ? '' : ` with ${given.join(', ')}`
}
