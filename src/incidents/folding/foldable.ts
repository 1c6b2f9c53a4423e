// A stored alert as folding sees it.
import { believableStart } from '../alert-times.ts'
import { placesOf } from '../alert-service.ts'
import { labelOf } from '../../core/label-matchers.ts'
import type { Labels } from '../../core/telemetry.ts'
import type { AlertRow } from '../tables.ts'
import { textOf } from './alike.ts'
import type { FoldableAlert } from './decide.ts'

/** `startsAtMs`: when it began, where its sender's clock is not to be believed. */
export function foldable(
  row: AlertRow,
  labels: Labels,
  groupBy: readonly string[],
  startsAtMs = row.starts_at,
): FoldableAlert {
  return {
    name: row.name,
    service: row.service,
    severity: row.severity,
    status: row.status,
    fingerprint: row.fingerprint,
    groupKey: row.group_key,
    grouping: groupingOf(labels, groupBy),
    places: placesOf(labels),
    text: row.service === null ? textOf(row.name, labels, JSON.parse(row.annotations) as Labels) : NO_TEXT,
    atMs: believableStart(startsAtMs, row.first_at),
  }
}

/** An alert with a service is folded by that. */
const NO_TEXT = { scope: '', words: [] }

const MAX_GROUPING = 1000

/** What has none of the labels belongs to no group: all that say nothing would be one. */
function groupingOf(labels: Labels, groupBy: readonly string[]): string | null {
  const values = groupBy.map((label) => ({ label, value: labelOf(labels, label) }))
  if (values.every(({ value }) => value === '')) return null
  return values
    .map(({ label, value }) => `${label}=${value}`)
    .join(', ')
    .slice(0, MAX_GROUPING)
}
