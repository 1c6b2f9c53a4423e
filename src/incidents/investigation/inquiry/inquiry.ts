// What the steps of one inquiry share while it runs: what was read and made of it, the tools, the purse, and the way to a
// model. Made anew after a crash; what was spent before is read from the notes.
import { appendAudit } from '../../../audit/log.ts'
import type { Diagnosis } from '../../../diagnosis/case.ts'
import type { Cause } from '../../../diagnosis/evidence.ts'
import type { AlertRow, IncidentRow } from '../../tables.ts'
import type { InvestigationContext, InvestigationDb } from '../context.ts'
import { alertsOf, getIncident } from '../incident.ts'
import { questionOf } from '../knowledge.ts'
import { type Asker, createAsker } from '../model/asker.ts'
import type { Origin, Piece } from '../model/fence.ts'
import { hidePrivate } from '../model/hide.ts'
import { addSpent, NOTHING_SPENT, Purse } from '../model/purse.ts'
import type { Readings } from '../read.ts'
import type { Witnesses } from '../recheck.ts'
import { timeOfDay } from '../sentence.ts'
import type { InvestigationState } from '../state.ts'
import { callWitnesses } from '../witnesses.ts'
import type { Row } from './claim-ref.ts'
import { readNotes } from './notebook.ts'
import type { Brief } from './specialists.ts'
import { createToolbox, type Toolbox } from './toolbox.ts'

export interface Inquiry {
  readonly incident: IncidentRow
  readonly alerts: readonly AlertRow[]
  readonly readings: Readings
  readonly diagnosis: Diagnosis
  readonly toolbox: Toolbox
  readonly purse: Purse
  readonly asker: Asker
  readonly brief: Brief
  /** What may be named at all: causes, or where there is none, the nearest. */
  readonly candidates: readonly Cause[]
  /** Why no model is asked what it thinks: it is sure already, or there is nothing to choose from. */
  readonly settled: string | undefined
  /** Every name that is one of a service. */
  readonly services: readonly string[]
  /** The sources, to ask again; each question is asked once. */
  witnesses(signal: AbortSignal): Promise<Witnesses>
}

/** Services that everybody looks at without being asked. */
const SUSPECTS = 2

export async function openInquiry(
  context: InvestigationContext,
  state: InvestigationState,
  readings: Readings,
  diagnosis: Diagnosis,
): Promise<Inquiry> {
  const { db, clock, log, config, chatModel } = context
  const incident = await getIncident(db, state.incidentId)
  const alerts = await alertsOf(db, incident.id)
  const notes = await readNotes(db, state)
  const spent = notes.reduce((sum, note) => addSpent(sum, note.spent), NOTHING_SPENT)
  const purse = new Purse(config.investigation, state.startedAtMs, spent)
  const { tenant } = incident
  const asker = createAsker({
    chatModel,
    models: { small: config.model, large: config.largerModel ?? undefined },
    purse,
    clock,
    log,
    purpose: `incident ${incident.id}`,
    record: (kind, body) =>
      db
        .transaction()
        .execute((trx: InvestigationDb) =>
          appendAudit(trx, [{ tenant, at: clock.now(), actor: 'agent', kind, subject: incident.id, body }]),
        ),
  })
  const candidates = diagnosis.abstained ? diagnosis.leads : diagnosis.causes
  const settled = whySettled(diagnosis, config.investigation.sureAt)
  const withModel = asker.has('small') && settled === undefined
  let witnesses: Promise<Witnesses> | undefined
  return {
    incident,
    alerts,
    readings,
    diagnosis,
    candidates,
    settled,
    purse,
    asker,
    brief: {
      suspects: [...new Set(candidates.map(({ service }) => service))].slice(0, SUSPECTS),
      question: questionOf(alerts, candidates[0]),
      withModel,
    },
    services: servicesIn(readings),
    toolbox: createToolbox(context, state, incident, { readings, diagnosis }),
    witnesses: (signal) => {
      witnesses ??= callWitnesses(context, state, readings, signal).catch((error: unknown) => {
        witnesses = undefined
        throw error
      })
      return witnesses
    },
  }
}

function whySettled({ causes, leads }: Diagnosis, sureAt: number): string | undefined {
  const [first, second] = causes
  if (!first && leads.length === 0) return 'there is nothing to choose from'
  if (first && first.confidence >= sureAt && (second?.confidence ?? 0) < first.confidence)
    return `${first.service} is sure enough (${first.confidence.toFixed(2)})`
  return undefined
}

const servicesIn = ({ series, topology }: Pick<Readings, 'series' | 'topology'>): string[] => [
  ...new Set([...series.map(({ service }) => service), ...topology.flatMap(({ caller, callee }) => [caller, callee])]),
]

const MOST_ALERTS = 10

/** What a model is told of the incident before any tool's answer. */
export function briefPieces({ alerts, candidates }: Inquiry, { window }: InvestigationState): Piece[] {
  return [
    {
      origin: 'midwatch',
      text: `The first alert began at ${timeOfDay(window.alertAtMs)}; it is ${timeOfDay(window.toMs)} now.`,
    },
    ...alerts.slice(0, MOST_ALERTS).map(({ name, service, severity, labels, annotations }): Piece => ({
      origin: 'alert',
      text: `alert ${name} at ${service ?? 'no service'}, ${severity}, labels ${labels.slice(0, 500)}, ${annotations.slice(0, 500)}`,
    })),
    ...candidates.flatMap(({ service, kind, confidence, evidence, against }, i): Piece[] => [
      { origin: 'midwatch', text: `candidate ${i + 1}: ${service}, ${kind}, confidence ${confidence}` },
      ...[...evidence, ...against].slice(0, 6).map(({ claim, weight, ref }): Piece => ({
        origin: ORIGINS[ref.kind],
        text: `${weight < 0 ? 'against' : 'for'} candidate ${i + 1}: ${claim}`,
      })),
    ]),
  ]
}

const ORIGINS: Readonly<Record<NonNullable<Row['ref']>['kind'], Origin>> = {
  series: 'metric',
  log: 'log',
  change: 'change',
  topology: 'metric',
  calls: 'metric',
  case: 'case',
  passage: 'document',
}

export const rowPiece = ({ id, text, ref }: Row): Piece => ({
  origin: ref === null ? 'metric' : ORIGINS[ref.kind],
  text: `${id} | ${text}`,
})

/** For what is written down and told: words without secrets and personal data. */
export const plainReason = (text: string): string => hidePrivate(text).slice(0, 300)
