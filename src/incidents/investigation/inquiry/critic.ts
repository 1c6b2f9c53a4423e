// The critic: tries to show that the leading hypothesis is false. By rules always: was the trouble there before, do siblings
// not suffer, does another candidate reach more of what hurts? And where a model may be asked, by the one question that it
// thinks would refute it; what counts as a refutation is decided by code on the answer. Doubt is a matter of record and costs
// a little confidence; what refutes for good (a victim that was hurt first) is in refute.ts.
import { z } from 'zod'
import { withDeadline } from '../../../core/deadline.ts'
import type { Edge } from '../../../core/telemetry.ts'
import type { Cause } from '../../../diagnosis/evidence.ts'
import { readSignals, type SignalRole } from '../../../diagnosis/service-signals.ts'
import { median } from '../../../diagnosis/stats.ts'
import type { InvestigationContext } from '../context.ts'
import { addSpent, NOTHING_SPENT } from '../model/purse.ts'
import { askAll } from '../read.ts'
import { findSeries, matches } from '../recheck.ts'
import type { InvestigationState } from '../state.ts'
import { callTool } from './call-tool.ts'
import type { Objection } from './deliberation.ts'
import { briefPieces, type Inquiry, plainReason } from './inquiry.ts'
import { listAnomalies, signalsIn } from './metric-tools.ts'
import type { Note } from './note.ts'
import type { ToolOutput } from './notebook.ts'
import { toolQuery } from './query.ts'
import { TOOL_HELP } from './toolbox.ts'

const LOOK_BACK_MS = 3_600_000
const DEADLINE_MS = 5000
const FEWEST_POINTS = 4

export interface Criticised {
  readonly note: Note
  readonly outputs: readonly ToolOutput[]
}

export async function criticise(
  context: InvestigationContext,
  state: InvestigationState,
  inquiry: Inquiry,
  signal: AbortSignal,
): Promise<Criticised> {
  const { candidates, diagnosis } = inquiry
  const [leading, ...others] = candidates
  const objections: Objection[] = []
  const outputs: ToolOutput[] = []
  let spent = NOTHING_SPENT
  if (leading && !diagnosis.abstained) {
    objections.push(await wasThereBefore(context, state, inquiry, leading, signal))
    objections.push(siblingsSuffer(state, inquiry, leading))
    objections.push(explainsMore(state, inquiry, leading, others))
    if (inquiry.brief.withModel) {
      const asked = await askToRefute(context, state, inquiry, signal)
      objections.push(...asked.objections)
      outputs.push(...asked.outputs)
      spent = addSpent(spent, asked.spent)
    }
  }
  return {
    outputs,
    note: {
      step: 'critic',
      round: 1,
      calls: outputs.map(({ id, query, rows, error }) => ({ id, query, rows: rows.length, error })),
      found: [],
      hypotheses: [],
      objections,
      removed: 0,
      spent,
      stopped: null,
      runbooks: undefined,
      blind: [],
    },
  }
}

const rule = (test: string, outcome: Objection['outcome'], reason: string): Objection => ({
  by: 'rules',
  test,
  outcome,
  reason: plainReason(reason),
})

/** Asks for the hour before the window: a level that was there already needs no cause of today. */
async function wasThereBefore(
  { clock, log }: InvestigationContext,
  { window }: InvestigationState,
  inquiry: Inquiry,
  leading: Cause,
  signal: AbortSignal,
): Promise<Objection> {
  const test = 'was it there before?'
  const strongest = [...leading.evidence].sort((a, b) => b.weight - a.weight).map(({ ref }) => ref)
  const ref = strongest.find((one) => one.kind === 'series' && one.before !== null && one.after !== null)
  if (ref?.kind !== 'series' || ref.before === null || ref.after === null || ref.before === ref.after)
    return rule(test, 'unknown', 'no series shows the cause')
  try {
    const found = await findSeries(ref, await inquiry.witnesses(signal))
    if (!found) return rule(test, 'unknown', 'its series could not be found again')
    const range = { fromMs: window.fromMs - LOOK_BACK_MS, toMs: window.fromMs - window.stepMs, stepMs: window.stepMs }
    const series = await withDeadline(clock, DEADLINE_MS, signal, (inner) =>
      askAll(found.source, found.queries, range, inner),
    )
    const values = readSignals(series).find((one) => matches(one, ref))?.track.values
    if (!values || values.length < FEWEST_POINTS) return rule(test, 'unknown', 'the source does not reach further back')
    const level = median(values)
    const share = (level - ref.before) / (ref.after - ref.before)
    return share > 0.6 && share < 3
      ? rule(test, 'doubt', `${ref.metric} of ${ref.service} was at ${short(level)} in the hour before, too`)
      : rule(test, 'stands', `${ref.metric} of ${ref.service} was at ${short(level)} in the hour before`)
  } catch (error) {
    signal.throwIfAborted()
    log.warn({ err: error }, 'the critic could not look further back')
    return rule(test, 'unknown', 'the source could not be asked')
  }
}

const short = (value: number): string => String(Number(value.toPrecision(3)))

const PAIN: ReadonlySet<SignalRole> = new Set([
  'errors',
  'error_rate',
  'latency',
  'availability',
  'up',
  'client_errors',
  'client_latency',
])
const HURT = 0.3

/** Of those who call the cause, most should feel it. */
function siblingsSuffer({ window }: InvestigationState, { readings, diagnosis }: Inquiry, leading: Cause): Objection {
  const test = 'do its other callers suffer?'
  const callers = [
    ...new Set(readings.topology.flatMap(({ caller, callee }) => (callee === leading.service ? [caller] : []))),
  ]
  const measured = new Set(signalsIn(readings).flatMap(({ service, role }) => (PAIN.has(role) ? [service] : [])))
  const known = callers.filter((caller) => measured.has(caller))
  if (known.length < 2) return rule(test, 'unknown', `fewer than two callers of ${leading.service} are measured`)
  const hurt = known.filter((caller) =>
    listAnomalies({ readings, diagnosis, window }, caller).some(({ strength }) => strength >= HURT),
  )
  return hurt.length * 2 >= known.length
    ? rule(test, 'stands', `${hurt.length} of ${known.length} callers of ${leading.service} suffer`)
    : rule(test, 'doubt', `only ${hurt.length} of ${known.length} callers of ${leading.service} suffer`)
}

/** A rival this close, from which more of what hurts can be reached, explains it better. */
const RIVAL = 0.7

function explainsMore(
  { symptoms }: InvestigationState,
  { readings }: Inquiry,
  leading: Cause,
  others: readonly Cause[],
): Objection {
  const test = 'does another explain more?'
  const hurt = [...new Set(symptoms.map(({ service }) => service))]
  const reach = (service: string): number => {
    const reached = reachedFrom(readings.topology, service)
    return hurt.filter((one) => reached.has(one)).length
  }
  const own = reach(leading.service)
  const rival = others.find(
    (one) => one.service !== leading.service && one.score >= RIVAL * leading.score && reach(one.service) > own,
  )
  return rival
    ? rule(
        test,
        'doubt',
        `${rival.service} reaches ${reach(rival.service)} of ${hurt.length} services that hurt, ${leading.service} ${own}`,
      )
    : rule(test, 'stands', `no rival reaches more than the ${own} of ${hurt.length} services that hurt`)
}

/** Everybody who calls it, directly or over others, and itself. */
function reachedFrom(topology: readonly Edge[], service: string): ReadonlySet<string> {
  const reached = new Set([service])
  for (const one of reached) for (const { caller, callee } of topology) if (callee === one) reached.add(caller)
  return reached
}

const attempt = z.strictObject({
  query: toolQuery.nullable(),
  /** What in the answer would show that the hypothesis is false. */
  refutedBy: z.enum(['nothing_found', 'something_found', 'nothing_moved', 'something_moved']),
})

const MOVED = 0.3

async function askToRefute(
  context: InvestigationContext,
  state: InvestigationState,
  inquiry: Inquiry,
  signal: AbortSignal,
) {
  const { asker } = inquiry
  const said = await asker.ask(
    {
      step: 'critic',
      size: 'small',
      task: CRITIC_TASK,
      pieces: briefPieces(inquiry, state),
      schema: attempt,
      maxTokens: 300,
    },
    signal,
  )
  const nothing = { objections: [] as Objection[], outputs: [] as ToolOutput[], spent: said.spent }
  if (said.kind !== 'answered' || said.value.query === null || said.value.query.tool === 'page') return nothing
  const { query, refutedBy } = said.value
  const output = await callTool(context, inquiry, 'critic.1', query, signal)
  if (!output) return nothing
  const { rows, error } = output
  const moved = rows.some(({ strength }) => strength >= MOVED)
  const refuted = {
    nothing_found: rows.length === 0,
    something_found: rows.length > 0,
    nothing_moved: !moved,
    something_moved: moved,
  }[refutedBy]
  const outcome: Objection['outcome'] = error !== null ? 'unknown' : refuted ? 'doubt' : 'stands'
  const where = query.service === null ? '' : ` of ${query.service}`
  const objection: Objection = {
    by: 'model',
    test: `${query.tool.replaceAll('_', ' ')}${where}, refuted by ${refutedBy.replaceAll('_', ' ')}`,
    outcome,
    reason: error ?? `${rows.length} rows, ${moved ? 'something' : 'nothing'} moved`,
  }
  const spent = addSpent(said.spent, { ...NOTHING_SPENT, toolCalls: 1 })
  return { objections: [objection], outputs: [output], spent }
}

const CRITIC_TASK = [
  'You are the critic of an incident investigation. Candidate 1 is the leading hypothesis. Try to show that it is false.',
  'Name the one question to a tool whose answer would refute it if it is wrong, and which kind of answer would. Unused fields are null; query is null when there is no such question.',
  `Tools:\n${Object.entries(TOOL_HELP)
    .filter(([tool]) => tool !== 'page')
    .map(([, help]) => `- ${help}`)
    .join('\n')}`,
  'Answer with JSON of the schema and nothing else.',
].join('\n')
