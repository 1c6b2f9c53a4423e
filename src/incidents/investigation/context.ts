// Everything the steps of an investigation work with, handed down from one place.
import type { Actions } from '../../actions/actions.ts'
import type { AuditTables } from '../../audit/tables.ts'
import type { AgentConfig } from '../../config/schema.ts'
import type { Clock } from '../../core/clock.ts'
import type { Change, LogSource, MetricSource } from '../../core/telemetry.ts'
import type { Db } from '../../db/connect.ts'
import type { QueueTables } from '../../db/queue.ts'
import type { CaseInput, Diagnosis } from '../../diagnosis/case.ts'
import type { ChatModel } from '../../llm/chat.ts'
import type { CallRecords } from '../../llm/call-records.ts'
import type { Retriever } from '../../llm/retriever.ts'
import type { Log } from '../../observe/log.ts'
import type { IncidentFeed } from '../feed.ts'
import type { IncidentTables } from '../tables.ts'
import type { Desk } from './desk.ts'
import type { InvestigationState, InvestigationUpdate } from './state.ts'
import type { TopologyMemory } from './topology.ts'

export type InvestigationTables = IncidentTables & QueueTables & AuditTables
export type InvestigationDb = Db<InvestigationTables>

/** The changes of a tenant with `fromMs` ≤ time ≤ `toMs`. */
export type ListChanges = (query: {
  readonly tenant: string
  readonly fromMs: number
  readonly toMs: number
}) => Promise<readonly Change[]>

export interface Sources {
  readonly metrics: readonly MetricSource[]
  readonly logs: readonly LogSource[]
  /** Where changes are collected from, beside those that are reported: which of them could not be read the last time. */
  readonly changes?: { problems(): readonly { readonly source: string; readonly reason: string }[] } | undefined
}

export interface InvestigationContext {
  readonly db: InvestigationDb
  readonly config: AgentConfig
  readonly sources: Sources
  readonly changes: ListChanges
  readonly diagnose: (input: CaseInput) => Diagnosis | Promise<Diagnosis>
  readonly chatModel: ChatModel | undefined
  /** The knowledge base, where there is one. */
  readonly retriever?: Retriever | undefined
  /** What became of model calls, where there is a gateway. */
  readonly callRecords?: CallRecords | undefined
  readonly actions: Actions
  readonly clock: Clock
  readonly log: Log
  readonly feed: IncidentFeed
  /** Where people open an incident: `${publicUrl}/incidents/7`. */
  readonly publicUrl: string
  readonly desk: Desk
  readonly topology: TopologyMemory
  /** Tells the queue that there is work to do now. */
  readonly wake: () => void
  /** Seconds from the begin of an investigation to its report. */
  readonly observeDuration: (seconds: number) => void
}

/** One step of the graph. It may be run again from its start after a crash: every effect has its own once-only record. */
export type Step = (state: InvestigationState, signal: AbortSignal) => Promise<InvestigationUpdate>
