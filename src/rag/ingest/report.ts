// What an ingest did, and how far it is.

export interface IngestReport {
  /** The place that was read. */
  readonly place: string
  readonly documents: Counts
  /** Of the documents that are new or changed. */
  readonly passages: number
  /** By name and reason; of those that are there but could not be taken, what was stored before stays. */
  readonly failures: readonly Failure[]
  /** Why nothing was taken for deleted, where something could not be looked at. */
  readonly gaps: readonly string[]
  readonly tookMs: number
}

export interface Counts {
  readonly added: number
  readonly changed: number
  readonly unchanged: number
  readonly removed: number
  readonly failed: number
}

export interface Failure {
  readonly document: string
  readonly reason: string
}

export interface Progress {
  readonly done: number
  /** null: not known. */
  readonly total: number | null
  readonly passages: number
  readonly counts: Counts
}
