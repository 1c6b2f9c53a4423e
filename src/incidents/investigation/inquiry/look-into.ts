// One specialist at work: asks its opening questions (or those of the lead), and where a model may be asked, lets it ask on
// and say which candidate the lines support. It ends when the model has enough, asks what was asked before, or may spend no
// more; without a model, when its questions are answered.
import { z } from 'zod'
import type { InvestigationContext } from '../context.ts'
import { consultRunbooks } from '../knowledge.ts'
import type { Piece } from '../model/fence.ts'
import type { InvestigationState } from '../state.ts'
import { addSpent, NOTHING_SPENT, type Spent } from '../model/purse.ts'
import { callTool } from './call-tool.ts'
import type { Row } from './claim-ref.ts'
import { briefPieces, type Inquiry, plainReason, rowPiece } from './inquiry.ts'
import type { Hypothesis, Note } from './note.ts'
import { readOutput, type ToolOutput } from './notebook.ts'
import { holdToRows, opinion } from './opinion.ts'
import { keyOf, type ToolQuery, toolQuery } from './query.ts'
import { SPECIALIST, type SpecialistName } from './specialists.ts'
import { pageOf, type Shown, summarise } from './summarise.ts'
import { type Answer, TOOL_HELP } from './toolbox.ts'

/** Model calls of one specialist in one round. */
const MOST_TURNS = 2
const MOST_QUERIES = 3
const MOST_FOUND = 5
const MAX_ANSWER_TOKENS = 800

const answer = z.strictObject({
  queries: z.array(toolQuery).max(MOST_QUERIES),
  hypotheses: z.array(opinion).max(2),
  enough: z.boolean(),
})

export interface Assignment {
  readonly name: SpecialistName
  readonly round: number
  /** Asked by the lead; undefined where it opens by itself. */
  readonly questions?: readonly ToolQuery[]
  /** What it asked in earlier rounds, and how many calls those were. */
  readonly before: readonly Note[]
}

export interface LookedInto {
  readonly note: Note
  readonly outputs: readonly ToolOutput[]
}

export async function lookInto(
  context: InvestigationContext,
  state: InvestigationState,
  inquiry: Inquiry,
  { name, round, questions, before }: Assignment,
  signal: AbortSignal,
): Promise<LookedInto> {
  const { db } = context
  const { asker, brief, candidates, services } = inquiry
  const { tools, opening, about } = SPECIALIST[name]
  const outputs: ToolOutput[] = []
  const rows = new Map<string, Row>()
  const shown: Piece[] = []
  const asked = new Set(before.flatMap(({ calls }) => calls.map(({ query }) => keyOf(query))))
  let callNumber = before.reduce((sum, { calls }) => sum + calls.length, 0)
  let spent: Spent = NOTHING_SPENT

  const show = (id: string, { rows: some, note }: Shown): void => {
    for (const one of some) {
      rows.set(one.id, one)
      shown.push(rowPiece(one))
    }
    if (note !== undefined) shown.push({ origin: 'midwatch', text: `${id}: ${note}` })
    if (some.length === 0) shown.push({ origin: 'midwatch', text: `${id}: nothing was found` })
  }

  /** Whether it was a question that had not been asked before. */
  const call = async (query: ToolQuery): Promise<boolean> => {
    const key = keyOf(query)
    if (asked.has(key) || !tools.includes(query.tool)) return false
    asked.add(key)
    const id = `${name}.${callNumber + 1}`
    const pages = query.tool === 'page'
    const output = await callTool(context, inquiry, id, query, signal, pages ? () => turnTo(id, query) : undefined)
    if (!output) return false
    callNumber++
    spent = addSpent(spent, { ...NOTHING_SPENT, toolCalls: 1 })
    outputs.push(output)
    // An error is as much of an answer, and as little to be trusted: it is shown as data too.
    if (output.error !== null) shown.push({ origin: 'metric', text: `${id}: ${output.error}` })
    else if (!pages) show(id, summarise(output.rows, id))
    return true
  }
  /** Shows more of an earlier call, whose rows keep their ids. */
  const turnTo = async (id: string, { handle, offset }: ToolQuery): Promise<Answer> => {
    const whole =
      outputs.find((one) => one.id === handle)?.rows ??
      (handle?.startsWith(`${name}.`) ? await readOutput(db, state, handle) : undefined)
    if (!whole) return { kind: 'failed', reason: 'there is no call with this handle' }
    show(id, pageOf(whole, offset ?? 0, handle ?? ''))
    return { kind: 'found', rows: [] }
  }

  for (const query of questions ?? opening(brief)) await call(query)
  const consulted =
    name === 'knowledge' && round === 1
      ? await consultRunbooks(context, inquiry.incident, inquiry.alerts, leadingOf(inquiry), signal)
      : undefined

  const hypotheses: Hypothesis[] = []
  let removed = 0
  let stopped = inquiry.settled ?? null
  if (brief.withModel && rows.size > 0) {
    for (let turn = 1; stopped === null; turn++) {
      if (turn > MOST_TURNS) {
        stopped = 'its turns are over'
        break
      }
      const said = await asker.ask(
        {
          step: name,
          size: 'small',
          task: taskOf(
            name,
            about,
            tools.map((tool) => TOOL_HELP[tool]),
          ),
          pieces: [...briefPieces(inquiry, state), ...shown],
          schema: answer,
          maxTokens: MAX_ANSWER_TOKENS,
        },
        signal,
      )
      spent = addSpent(spent, said.spent)
      if (said.kind !== 'answered') {
        stopped = said.reason
        break
      }
      // Its last word counts: what it thought before it saw the answers is no second opinion.
      const held = holdToRows({
        opinions: said.value.hypotheses,
        by: said.model,
        size: 'small',
        candidates,
        rows,
        services,
      })
      hypotheses.splice(0, hypotheses.length, ...held.hypotheses)
      removed += held.removed
      if (said.value.enough || said.value.queries.length === 0) stopped = 'it has enough'
      else {
        let fresh = 0
        for (const query of said.value.queries) if (await call(query)) fresh++
        if (fresh === 0) stopped = 'it asked what was asked before'
      }
    }
  }
  const calls = outputs.map(({ id, query, rows, error }) => ({ id, query, rows: rows.length, error }))
  const strongest = outputs
    .flatMap((one) => one.rows)
    .sort((a, b) => b.strength - a.strength)
    .slice(0, MOST_FOUND)
  return {
    note: {
      step: name,
      round,
      calls,
      found: strongest,
      hypotheses,
      objections: [],
      removed,
      spent,
      stopped: stopped === null ? null : plainReason(stopped),
      runbooks: consulted && [...consulted.runbooks],
      blind: consulted ? [...consulted.blind] : [],
    },
    outputs,
  }
}

const leadingOf = ({ diagnosis }: Inquiry) => (diagnosis.abstained ? undefined : diagnosis.causes[0])

const taskOf = (name: string, about: string, tools: readonly string[]): string =>
  [
    `You are one of several specialists who look into an incident side by side: the one for ${about}.`,
    'Code has computed candidates for the cause, with evidence. Say which of them the lines you see support, and ask for what would decide between them.',
    `Your tools (unused fields are null):\n${tools.map((tool) => `- ${tool}`).join('\n')}`,
    'queries: at most three, none that was answered already. hypotheses: at most two, each a service and kind out of the candidates. Each claim cites one line by its id (such as ' +
      `${name}.1.2) that speaks of that service, and repeats in "says" what matters of it, with no number or name that is not in the line. Where the lines support no candidate, give none. enough: true when you need no more.`,
    'Answer with JSON of the schema and nothing else.',
  ].join('\n')
