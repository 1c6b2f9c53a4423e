// The lead of the inquiry: reads what the specialists found and decides whether that is enough. It asks again for what is
// missing, without a model at the callees of the suspects (who may be victims themselves), with one also for what that wants
// to know. Where opinions differ from the ranking the larger model is heard. It stops as soon as nothing new can come.
import { z } from 'zod'
import { addSpent, NOTHING_SPENT } from '../model/purse.ts'
import type { InvestigationState } from '../state.ts'
import type { Row } from './claim-ref.ts'
import { briefPieces, type Inquiry, plainReason, rowPiece } from './inquiry.ts'
import type { Hypothesis, LeadQuestion, Note } from './note.ts'
import { holdToRows, opinion } from './opinion.ts'
import { keyOf, queryOf, toolQuery } from './query.ts'
import { SPECIALIST, SPECIALISTS } from './specialists.ts'

/** Rounds of questions, the first included. */
const MOST_ROUNDS = 2
const MOST_QUESTIONS = 4
const MOST_CALLEES = 3
const MAX_ANSWER_TOKENS = 700

const wishes = z.strictObject({
  questions: z.array(z.strictObject({ to: z.enum(SPECIALISTS), query: toolQuery })).max(MOST_QUESTIONS),
})
const ruling = z.strictObject({ opinions: z.array(opinion).max(1) })

export interface Led {
  readonly note: Note
  /** Empty when it is enough. */
  readonly questions: readonly LeadQuestion[]
}

export async function lead(
  state: InvestigationState,
  inquiry: Inquiry,
  round: number,
  notes: readonly Note[],
  signal: AbortSignal,
): Promise<Led> {
  const { asker, candidates, brief, settled, services } = inquiry
  let spent = NOTHING_SPENT
  let removed = 0
  const hypotheses: Hypothesis[] = []
  const ended = (stopped: string | null, questions: readonly LeadQuestion[] = []): Led => ({
    questions,
    note: {
      step: 'lead',
      round,
      calls: [],
      found: [],
      hypotheses,
      objections: [],
      removed,
      spent,
      stopped: stopped === null ? null : plainReason(stopped),
      runbooks: undefined,
      blind: [],
    },
  })
  if (settled !== undefined) return ended(settled)
  const asked = new Set(notes.flatMap(({ calls }) => calls.map(({ query }) => keyOf(query))))
  const rows = strongestRows(notes)

  if (round < MOST_ROUNDS) {
    const planned = [...calleesOf(inquiry)]
    if (brief.withModel && rows.size > 0) {
      const said = await asker.ask(
        {
          step: 'lead',
          size: 'small',
          task: WISHES_TASK,
          pieces: [...briefPieces(inquiry, state), ...[...rows.values()].map(rowPiece)],
          schema: wishes,
          maxTokens: MAX_ANSWER_TOKENS,
        },
        signal,
      )
      spent = addSpent(spent, said.spent)
      if (said.kind === 'answered') planned.push(...said.value.questions)
    }
    const fresh = planned.filter(({ to, query }) => {
      const key = keyOf(query)
      const isFresh = !asked.has(key) && (SPECIALIST[to as keyof typeof SPECIALIST]?.tools ?? []).includes(query.tool)
      asked.add(key)
      return isFresh
    })
    if (fresh.length > 0) return ended(null, fresh.slice(0, MOST_CALLEES + MOST_QUESTIONS))
  }

  const leading = candidates[0]?.service
  const opposed = notes.flatMap((note) => note.hypotheses).filter(({ service }) => service !== leading)
  if (opposed.length > 0 && asker.has('large')) {
    const said = await asker.ask(
      {
        step: 'judge',
        size: 'large',
        task: JUDGE_TASK,
        pieces: [...briefPieces(inquiry, state), ...[...rows.values()].map(rowPiece)],
        schema: ruling,
        maxTokens: MAX_ANSWER_TOKENS,
      },
      signal,
    )
    spent = addSpent(spent, said.spent)
    if (said.kind === 'answered') {
      const held = holdToRows({
        opinions: said.value.opinions,
        by: said.model,
        size: 'large',
        candidates,
        rows,
        services,
      })
      hypotheses.push(...held.hypotheses)
      removed += held.removed
    }
  }
  return ended(round >= MOST_ROUNDS ? `${MOST_ROUNDS} rounds are enough` : 'nothing new is left to ask')
}

/** What a suspect calls: if that moved too, the suspect may be its victim. */
function* calleesOf({ brief, readings }: Inquiry): Generator<LeadQuestion> {
  let count = 0
  for (const suspect of brief.suspects) {
    for (const { caller, callee } of readings.topology) {
      if (caller !== suspect || brief.suspects.includes(callee)) continue
      if (++count > MOST_CALLEES) return
      yield { to: 'metrics', query: queryOf('list_anomalies', { service: callee }) }
    }
  }
}

/** The lines that the notes name. */
function strongestRows(notes: readonly Note[]): ReadonlyMap<string, Row> {
  const claimed = notes.flatMap(({ hypotheses }) => hypotheses.flatMap(({ claims }) => claims))
  const found = notes.flatMap((note) => note.found)
  return new Map([...claimed, ...found].map((one) => [one.id, one]))
}

const WISHES_TASK = [
  'You lead an incident investigation. Specialists have looked side by side; you see the candidates that code computed and the strongest lines they found.',
  `Say what is missing to tell the candidates apart: at most ${MOST_QUESTIONS} questions, each to one specialist and one tool, with unused fields null. Ask nothing that is answered already; give none when it is enough.`,
  `Specialists and their tools: ${SPECIALISTS.map((name) => `${name} (${SPECIALIST[name].tools.filter((tool) => tool !== 'page').join(', ')})`).join('; ')}.`,
  'Answer with JSON of the schema and nothing else.',
].join('\n')

const JUDGE_TASK = [
  'Specialists disagree with the ranking of causes that code computed. You see the candidates and the lines.',
  'Name the one candidate that the lines support best, by service and kind as they are given, and cite the lines that decide it by their ids. Repeat in "says" what matters of a line, with no number or name that is not in it. Where the lines decide nothing, give no opinion.',
  'Answer with JSON of the schema and nothing else.',
].join('\n')
