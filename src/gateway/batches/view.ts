// Files and batches in the shape of OpenAI's API.
import type { BatchRow, FileRow } from './tables.ts'

const seconds = (ms: number | null): number | null => (ms === null ? null : Math.floor(ms / 1000))

export const fileView = (row: FileRow) => ({
  id: row.id,
  object: 'file',
  bytes: row.bytes,
  created_at: seconds(row.created_at),
  ...(row.expires_at === null ? {} : { expires_at: seconds(row.expires_at) }),
  filename: row.filename,
  purpose: row.purpose,
  status: 'processed',
})

export function batchView(row: BatchRow) {
  // Until its files stand, it has none.
  const ended = row.closing === row.status
  return {
    id: row.id,
    object: 'batch',
    endpoint: row.endpoint,
    ...(row.model === null ? {} : { model: row.model }),
    errors: row.errors === null ? null : { object: 'list', data: parsed(row.errors) },
    input_file_id: row.input_file_id,
    completion_window: row.completion_window,
    status: row.status,
    output_file_id: ended ? row.output_file_id : null,
    error_file_id: ended ? row.error_file_id : null,
    created_at: seconds(row.created_at),
    in_progress_at: seconds(row.in_progress_at),
    expires_at: seconds(row.expires_at),
    finalizing_at: seconds(row.finalizing_at),
    completed_at: seconds(row.completed_at),
    failed_at: seconds(row.failed_at),
    expired_at: seconds(row.expired_at),
    cancelling_at: seconds(row.cancelling_at),
    cancelled_at: seconds(row.cancelled_at),
    request_counts: { total: row.total, completed: row.completed, failed: row.failed },
    ...(row.usage === null ? {} : { usage: parsed(row.usage) }),
    metadata: row.metadata === null ? null : parsed(row.metadata),
  }
}

const parsed = (json: string): unknown => JSON.parse(json)
