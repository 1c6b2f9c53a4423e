// Runs the cells against the real process and says of each what is wrong with it: what the caller got, and what the
// ledger says of it afterwards.
import type { LedgerRow } from '../../src/gateway/tables.ts'
import { parseDecision } from '../../src/gateway/decision.ts'
import { ask } from './callers.ts'
import { type Cell, behaviourOf, CELLS, configFor, expectedOf, headersFor, judge } from './cells.ts'
import { type FaultServer, startFaultServer } from './fault-server.ts'
import { prepareGateway } from './midwatch.ts'

export interface Result {
  readonly cell: Cell
  /** null: all is well. */
  readonly wrong: string | null
  readonly tookMs: number
}

/** Most of the time is spent waiting for somebody who stays silent. */
const AT_ONCE = 48

export async function runCells(wanted: (cell: Cell) => boolean = () => true): Promise<readonly Result[]> {
  const cells = CELLS.filter(wanted)
  const server = await startFaultServer(behaviourOf)
  const midwatch = await prepareGateway({ config: configFor(server.port) })
  try {
    const key = await midwatch.createKey(['llm:chat'])
    await midwatch.start()
    const results = await inTurn(cells, AT_ONCE, (cell) => runCell(cell, midwatch.url, key, server))
    const active = /^llm_active_requests\{[^}]*\} [^0]/m.exec(await midwatch.metrics())
    if (active) throw new Error(`a request is still counted as active: ${active[0]}`)
    await midwatch.stop()
    const rows = Map.groupBy(midwatch.rows(), ({ request_id: id }) => id)
    return results.map((result) => ({
      ...result,
      wrong: result.wrong ?? judgeRows(result.cell, rows, server),
    }))
  } finally {
    await midwatch.stop()
    await server.stop()
    midwatch.clean()
  }
}

const requestId = ({ id }: Cell, time: number) => `${id}:${time}`

async function runCell(cell: Cell, url: string, key: string, server: FaultServer): Promise<Result> {
  const startedMs = performance.now()
  const { caller: speech, form, id: model, scenario } = cell
  let wrong: string | null = null
  for (let time = 1; time <= (scenario.times ?? 1) && wrong === null; time++) {
    const question = { speech, form, model, requestId: requestId(cell, time), headers: headersFor(cell) }
    wrong = judge(cell, await ask(url, key, question))
  }
  const [firstMs = 0, secondMs = Infinity] = server.calls.get(cell.id) ?? []
  if (scenario.notBeforeMs !== undefined && secondMs - firstMs < scenario.notBeforeMs) {
    wrong ??= `it was asked again after ${Math.round(secondMs - firstMs)} ms`
  }
  return { cell, wrong, tookMs: performance.now() - startedMs }
}

/** One finished row a request, which counts every call that went out and what it cost. */
function judgeRows(cell: Cell, rows: ReadonlyMap<string, readonly LedgerRow[]>, { calls }: FaultServer): string | null {
  let attempts = 0
  for (let time = 1; time <= (cell.scenario.times ?? 1); time++) {
    const [row, more] = rows.get(requestId(cell, time)) ?? []
    if (!row) return 'the ledger has no row for it'
    if (more) return 'the ledger has two rows for it'
    const outcome = expectedOf(cell) === 'error' ? 'failed' : 'served'
    if (row.outcome !== outcome) return `the ledger calls it ${row.outcome ?? 'under way'}, not ${outcome}`
    const wrong = judgeUse(cell, row) ?? judgeDecision(row)
    if (wrong !== null) return wrong
    attempts += row.attempts
  }
  const asked = (calls.get(cell.id)?.length ?? 0) + (calls.get(`fallback.${cell.id}`)?.length ?? 0)
  return attempts === asked ? null : `the ledger counts ${attempts} attempts where ${asked} calls arrived`
}

/** The record of what was decided says of every try how it ended and what it cost, and the row is their sum. */
function judgeDecision(row: LedgerRow): string | null {
  const decision = parseDecision(row.decision)
  if (!decision) return 'the ledger does not say what was decided'
  const { attempts } = decision
  if (attempts.length !== row.attempts) return `the decision tells ${attempts.length} tries of ${row.attempts}`
  const completed = attempts.filter(({ end }) => end === 'completed').length
  if (completed !== (row.outcome === 'served' ? 1 : 0)) return `${completed} tries are called completed`
  const costs = attempts.flatMap(({ costMicroUsd: cost }) => (cost === null ? [] : [cost]))
  const sum = costs.reduce((all, cost) => all + cost, 0)
  return sum === (row.cost_micro_usd ?? 0) ? null : `the tries cost ${sum}, and the row says ${row.cost_micro_usd}`
}

/** Each target costs a micro-dollar a token. */
function judgeUse({ scenario }: Cell, row: LedgerRow): string | null {
  if (row.usage_source === 'unknown') {
    return row.outcome === 'failed' ? null : 'the ledger does not know what an answer used'
  }
  const tokens = (row.input_tokens ?? 0) + (row.output_tokens ?? 0)
  if (row.cost_micro_usd !== tokens) return `${tokens} tokens cost ${row.cost_micro_usd} in the ledger`
  // What was said before it broke off is paid as well, not only the answer that went on with it.
  return scenario.begun && row.outcome === 'served' && (row.output_tokens ?? 0) < 75
    ? `the ledger leaves out the try that broke off: ${row.output_tokens} output tokens`
    : null
}

async function inTurn<T, R>(items: readonly T[], atOnce: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    for (let i = next++; i < items.length; i = next++) results[i] = await work(items[i] as T)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return results
}
