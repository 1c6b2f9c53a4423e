// Changes, neighbours, earlier incidents, documents and model calls, as rows.
import type { Change, Edge } from '../../../core/telemetry.ts'
import type { CallSummary } from '../../../llm/call-records.ts'
import type { FoundPassage } from '../../../llm/retriever.ts'
import type { PastCase } from '../../memory/past.ts'
import { sayCase } from '../../memory/say-past.ts'
import { duration } from '../sentence.ts'
import type { Window } from '../state.ts'
import type { Found } from './claim-ref.ts'

/** A change this long before the onset says little. */
const FADES_MS = 15 * 60_000

/** Nearest to the onset first. */
export function listChanges(changes: readonly Change[], onsetMs: number, service: string | null): Found[] {
  return changes
    .filter((change) => service === null || change.service === service)
    .map((change): Found => {
      const leadMs = onsetMs - change.at
      const when = leadMs >= 0 ? `${duration(leadMs)} before` : `${duration(-leadMs)} after`
      const { id, at, kind, summary, from, to, author } = change
      return {
        text: `${kind} ${id} of ${change.service}, ${when} the trouble began: ${summary}`,
        service: change.service,
        // What came after cannot have begun it; a minute is left for clocks.
        strength: leadMs < -60_000 ? 0 : Math.round(Math.max(0, 1 - Math.max(0, leadMs) / FADES_MS) * 50) / 100,
        ref: {
          kind: 'change',
          id,
          at,
          service: change.service,
          changeKind: kind,
          summary,
          ...(from === undefined ? {} : { from }),
          ...(to === undefined ? {} : { to }),
          ...(author === undefined ? {} : { author }),
        },
      }
    })
    .sort((a, b) => b.strength - a.strength)
}

export function listNeighbours(topology: readonly Edge[], service: string | null): Found[] {
  return topology
    .filter(({ caller, callee }) => service === null || caller === service || callee === service)
    .slice(0, 200)
    .map(({ caller, callee }) => ({
      text: `${caller} calls ${callee}`,
      service: service === caller ? callee : caller,
      strength: 0,
      ref: { kind: 'topology', path: [caller, callee] },
    }))
}

/** Earlier incidents teach by a nudge of their own, so that here they support nothing. */
export const listCases = (cases: readonly PastCase[]): Found[] =>
  cases.map((one) => ({
    text: sayCase(one),
    service: one.diagnosed?.service ?? null,
    strength: 0,
    ref: { kind: 'case', incidentId: one.incidentId, number: one.number },
  }))

const MAX_QUOTE = 400

/** What a document says is what somebody wrote: it supports no accusation. */
export const listPassages = (passages: readonly FoundPassage[]): Found[] =>
  passages.map(({ collection, document, headings, text, start, end }) => {
    const quote = text.slice(0, MAX_QUOTE).toWellFormed()
    return {
      text: `${[document, ...headings].join(' › ')}: ${quote}`,
      service: null,
      strength: 0,
      ref: { kind: 'passage', collection, document, start, end, quote },
    }
  })

/** Fewer calls than this are no share of anything. */
const LEAST_CALLS = 5

export function listCalls(before: readonly CallSummary[], since: readonly CallSummary[], window: Window): Found[] {
  return since
    .map((now): Found => {
      const then = before.find(({ model, provider }) => model === now.model && provider === now.provider)
      const share = (one: CallSummary | undefined): number =>
        one === undefined || one.calls === 0 ? 0 : one.failed / one.calls
      const grown = now.calls < LEAST_CALLS ? 0 : share(now) - share(then)
      const errors = Object.entries(now.errors)
        .sort((a, b) => b[1] - a[1])
        .slice(0, 3)
        .map(([code, count]) => `${code} ${count}`)
      const whom = now.provider === null ? now.model : `${now.model} by ${now.provider}`
      return {
        text: `Of ${now.calls} model calls of ${whom} since the alert ${now.failed} failed (before: ${then?.failed ?? 0} of ${then?.calls ?? 0})${errors.length === 0 ? '' : `: ${errors.join(', ')}`}`,
        service: now.provider,
        strength: Math.round(Math.max(0, Math.min(1, grown)) * 100) / 100,
        ref: {
          kind: 'calls',
          model: now.model,
          provider: now.provider,
          fromMs: window.alertAtMs,
          toMs: window.toMs,
          calls: now.calls,
          failed: now.failed,
        },
      }
    })
    .sort((a, b) => b.strength - a.strength)
}
