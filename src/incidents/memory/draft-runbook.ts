// A runbook drafted out of cases: what to look for, what it was, what helped, how it was verified. A draft, and it says so:
// it tells what happened, for a person to make instructions of. Text from outside stands in code spans or indented, so that
// nothing in an alert's name becomes a heading or a link.
import { duration } from '../investigation/sentence.ts'
import { code } from '../markdown.ts'
import type { Case } from './case.ts'
import { sayCause } from './say-past.ts'
import type { CauseName, Standing } from './standing.ts'

export interface RunbookCase {
  readonly case: Case
  readonly standing: Standing
}

/** `cases` of one signature, at least one; newest first. */
export function draftRunbook(cases: readonly RunbookCase[]): string {
  const [latest] = cases
  if (!latest) return ''
  const cause = confirmedCause(cases) ?? latest.case.cause
  const features = cases.map(({ case: one }) => new Set(one.signature.features))
  const inAll = [...(features[0] ?? [])].filter((feature) => features.every((set) => set.has(feature)))
  const of = (type: string) =>
    inAll.filter((one) => one.startsWith(`${type}:`)).map((one) => one.slice(type.length + 1))
  const list = (items: readonly string[]) => items.slice(0, 12).map((item) => `- ${code(item)}`)
  const helped = cases.flatMap(({ case: one }) =>
    one.detail.mended ? one.detail.actions.filter(({ state }) => state === 'done') : [],
  )
  const failed = cases.flatMap(({ case: one }) =>
    one.detail.mended ? [] : one.detail.actions.filter(({ state }) => state === 'done'),
  )
  const blocks: (readonly string[])[] = [
    [cause ? `# ${capital(cause.kind.replaceAll('_', ' '))} at ${code(cause.service)}` : '# Cause not known'],
    [
      `Draft, made of ${cases.length} ${cases.length === 1 ? 'case' : 'cases'}: ${cases.map(({ case: one }) => `incident ${one.number}`).join(', ')}. Read it, correct it, and put it into a collection of runbooks.`,
    ],
    ['## Symptoms', ''],
    list(of('alert')),
    ['## How it was recognised', ''],
    [...list([...of('anomaly'), ...of('log')]), ...list(of('change').map((change) => `change: ${change}`))],
    ['## Cause', ''],
    cases.map(({ case: one, standing }) => `- Incident ${one.number}: ${sayStanding(one, standing)}`),
    ['## What fixed it', ''],
    helped.length === 0
      ? ['No action was seen to fix it.']
      : unique(
          helped.map(
            ({ title, expected, undo }) => `- ${code(title)}. Expected: ${code(expected)} Undo: ${code(undo)}`,
          ),
        ),
    ...(failed.length === 0
      ? []
      : [['Carried out without being seen to help:', ...unique(failed.map(({ title }) => `- ${code(title)}`))]]),
    ['## How it was verified', ''],
    cases.map(({ case: one }) => `- Incident ${one.number}: ${sayEnd(one)}`),
  ]
  return `${blocks
    .filter((block) => block.some((line) => line !== ''))
    .map((block) => block.filter((line) => line !== '').join('\n'))
    .join('\n\n')}\n`
}

function confirmedCause(cases: readonly RunbookCase[]): CauseName | undefined {
  for (const { standing } of cases)
    if (standing.kind === 'confirmed' || standing.kind === 'mended') return standing.cause
  return undefined
}

function sayStanding({ cause }: Case, standing: Standing): string {
  switch (standing.kind) {
    case 'confirmed': {
      return `${code(sayCause(standing.cause))}, confirmed by ${code(standing.by)}.`
    }
    case 'mended': {
      return `${code(sayCause(standing.cause))}, and what was done about it helped.`
    }
    case 'wrong': {
      return `the diagnosis was marked wrong${standing.really === '' ? '' : `: it was ${code(standing.really)}`}.`
    }
    case 'unconfirmed': {
      return cause === null ? 'it was not found.' : `${code(sayCause(cause))}, not confirmed.`
    }
  }
}

function sayEnd({ outcome, openedAt, closedAt, detail }: Case): string {
  const lasted = duration(closedAt - openedAt)
  if (detail.mended) return `what showed the trouble was back to normal and no alert fired, ${lasted} after it began.`
  return outcome === 'fixed' ? `the alerts ended after the action; ${lasted}.` : `its alerts ended after ${lasted}.`
}

const unique = (lines: readonly string[]): string[] => [...new Set(lines)]
const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1)
