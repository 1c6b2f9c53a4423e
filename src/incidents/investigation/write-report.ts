// Puts together what an investigation found, in the shape that every face shows.
import type { Diagnosis } from '../../diagnosis/case.ts'
import type { Past } from '../memory/past.ts'
import type { Report } from '../report.ts'
import type { InvestigationContext } from './context.ts'
import type { Consulted } from './knowledge.ts'
import type { Deliberation } from './inquiry/deliberation.ts'
import type { Asker } from './model/asker.ts'
import { hideSecrets, mapStrings } from './model/hide.ts'
import type { Readings } from './read.ts'
import type { Challenge } from './refute.ts'
import { writeSentence } from './sentence.ts'
import type { InvestigationState } from './state.ts'
import { wordSentence } from './wording.ts'

export interface Findings {
  readonly state: InvestigationState
  readonly readings: Readings
  readonly diagnosis: Diagnosis
  readonly challenged: Challenge
  readonly claimsRemoved: number
  /** What looked the same before, its references looked up. */
  readonly past?: Past | undefined
  readonly consulted: Consulted
  readonly deliberation: Deliberation
}

type WritingContext = Pick<InvestigationContext, 'clock' | 'log'> & {
  readonly asker: Asker
  readonly services: readonly string[]
}

export async function writeReport(context: WritingContext, findings: Findings, signal: AbortSignal): Promise<Report> {
  const { state, readings, diagnosis, challenged, claimsRemoved, past, consulted, deliberation } = findings
  const { causes } = challenged
  const abstained = causes.length === 0 || diagnosis.abstained
  const named = abstained ? [] : causes
  const missing = [
    ...diagnosis.missing,
    ...challenged.missing,
    ...readings.blind.map(({ source }) => `a look at ${source}`),
  ]
  const { effect } = diagnosis
  const sentence = writeSentence({ effect, causes: named, missing })
  const worded = await wordSentence(
    context,
    { incidentId: state.incidentId, sentence, causes: named, services: context.services },
    signal,
  )
  // After the wording: what a model makes of the sentence is checked against this diagnosis alone.
  const before = past === undefined || past.sentence === '' ? '' : ` ${past.sentence}`
  const written: Report = {
    writtenBy: worded.writtenBy,
    sentence: `${worded.sentence}${before}`,
    effect,
    causes: [...named],
    abstained,
    ruledOut: [...diagnosis.ruledOut, ...(challenged.givenUp ? [challenged.givenUp] : [])],
    missing: [...new Set(missing)],
    map: mapOf(findings, abstained ? undefined : causes[0]?.service),
    looked: {
      series: readings.series.length,
      logLines: readings.logs.length,
      changes: readings.changes.length,
      tookMs: Math.round(context.clock.now() - state.startedAtMs),
    },
    blind: [...readings.blind, ...consulted.blind],
    claimsRemoved: claimsRemoved + deliberation.claimsRemoved,
    diagnosedAt: context.clock.now(),
    ...(past === undefined ? {} : { past }),
    ...(consulted.runbooks.length === 0 ? {} : { runbooks: [...consulted.runbooks] }),
    deliberation,
  }
  // Checked word for word by now: who reads it needs no password that stood in a log line.
  return mapStrings(written, hideSecrets)
}

/** Services touched, the guilty one first, and who calls whom among them. */
function mapOf({ state, readings, diagnosis }: Findings, cause: string | undefined): Report['map'] {
  const victims = [...diagnosis.path, ...state.symptoms.map(({ service }) => service)]
  const bystanders = diagnosis.ruledOut.map(({ service }) => service)
  const roles = new Map<string, 'cause' | 'victim' | 'bystander'>()
  if (cause !== undefined) roles.set(cause, 'cause')
  for (const name of victims) if (!roles.has(name)) roles.set(name, 'victim')
  for (const name of bystanders) if (!roles.has(name)) roles.set(name, 'bystander')
  return {
    services: [...roles].map(([name, role]) => ({ name, role })),
    edges: readings.topology.filter(({ caller, callee }) => roles.has(caller) && roles.has(callee)),
  }
}
