// The tools of the inquiry: typed questions over what was read and over the few sources that are asked one by one. They only
// read, and a question that makes no sense is answered in words instead of failing.
import { withDeadline } from '../../../core/deadline.ts'
import type { CallSummary } from '../../../llm/call-records.ts'
import { alertTexts } from '../../memory/case.ts'
import { recall, toPast } from '../../memory/recall.ts'
import { signatureOf } from '../../memory/signature.ts'
import type { IncidentRow } from '../../tables.ts'
import type { InvestigationContext } from '../context.ts'
import { askKnowledge } from '../knowledge.ts'
import type { InvestigationState } from '../state.ts'
import type { Found } from './claim-ref.ts'
import { listTemplates, searchLogs } from './log-tools.ts'
import { listAnomalies, querySeries, type SeriesAsked } from './metric-tools.ts'
import { listCalls, listCases, listChanges, listNeighbours, listPassages } from './other-tools.ts'
import type { ToolName, ToolQuery } from './query.ts'

export type Answer =
  | { readonly kind: 'found'; readonly rows: readonly Found[] }
  | { readonly kind: 'failed'; readonly reason: string }

export interface Toolbox {
  /** All tools but `page`, which only the one who asked can answer. Throws when a source does. */
  run(query: ToolQuery, signal: AbortSignal): Promise<Answer>
}

const DEADLINE_MS = 5000

export function createToolbox(
  context: InvestigationContext,
  { window }: InvestigationState,
  incident: IncidentRow,
  asked: Omit<SeriesAsked, 'window'>,
): Toolbox {
  const { db, clock, config, retriever, callRecords } = context
  const { readings, diagnosis } = asked
  const series: SeriesAsked = { ...asked, window }
  const onsetMs = Math.min(diagnosis.onsetMs ?? window.alertAtMs, window.alertAtMs)
  const logs = { logs: readings.logs, onsetMs }
  const found = (rows: readonly Found[]): Answer => ({ kind: 'found', rows })
  const failed = (reason: string): Answer => ({ kind: 'failed', reason })

  const run = async (query: ToolQuery, signal: AbortSignal): Promise<Answer> => {
    const { tool, service, metric, contains } = query
    switch (tool) {
      case 'list_anomalies':
        return found(listAnomalies(series, service))
      case 'query_series':
        return service === null && metric === null
          ? failed('query_series needs a service, a metric or both')
          : found(querySeries(series, service, metric))
      case 'log_templates':
        return found(listTemplates(logs, service))
      case 'search_logs':
        return contains === null
          ? failed('search_logs needs a text in `contains`')
          : found(searchLogs(logs, service, contains))
      case 'list_changes':
        return found(listChanges(readings.changes, onsetMs, service))
      case 'neighbours':
        return found(listNeighbours(readings.topology, service))
      case 'past_cases': {
        const signature = signatureOf({ alerts: await alertTexts(db, incident.id), causes: diagnosis.causes })
        const cases = await recall(db, { incidentId: incident.id, tenant: incident.tenant, signature })
        return found(listCases(toPast(cases, null, [], incident.opened_at)?.cases ?? []))
      }
      case 'search_knowledge': {
        if (!retriever || config.knowledge.collections.length === 0) return failed('there is no knowledge base')
        if (contains === null) return failed('search_knowledge needs a text in `contains`')
        const { passages, none } = await askKnowledge(context, retriever, incident, contains, signal)
        return found(none ? [] : listPassages(passages))
      }
      case 'model_calls': {
        if (!callRecords) return failed('this process keeps no ledger of model calls')
        const between = (fromMs: number, toMs: number): Promise<readonly CallSummary[]> =>
          withDeadline(clock, DEADLINE_MS, signal, (inner) =>
            callRecords.summarise({ tenant: incident.tenant, fromMs, toMs }, inner),
          )
        const [before, since] = [
          await between(window.fromMs, window.alertAtMs),
          await between(window.alertAtMs, window.toMs + 1),
        ]
        return found(listCalls(before, since, window))
      }
      case 'page':
        return failed('page needs the handle of a call that was made')
    }
  }
  return { run }
}

/** In one line each, for whoever may call them. */
export const TOOL_HELP: Readonly<Record<ToolName, string>> = {
  list_anomalies: 'list_anomalies {service?}: series that left their normal range, strongest first',
  query_series: 'query_series {service?, metric?}: series by service and part of their name, moved or not',
  log_templates: 'log_templates {service?}: log templates, with counts before and since',
  search_logs: 'search_logs {contains, service?}: log lines that have a text in them',
  list_changes: 'list_changes {service?}: deploys, settings, flags, nearest to the onset first',
  neighbours: 'neighbours {service?}: who calls whom',
  search_knowledge: 'search_knowledge {contains}: passages of runbooks',
  past_cases: 'past_cases {}: earlier incidents that looked like this',
  model_calls: 'model_calls {}: model calls by model and provider, failed before and since',
  page: 'page {handle, offset}: more rows of an earlier call',
}
