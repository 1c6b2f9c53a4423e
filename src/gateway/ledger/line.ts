// One line of the journal: a checksum over all that follows it, what it is, the row's id, and the row. A row stands there
// whole each time, so that any line is enough by itself, and a line that was cut or damaged is recognised.
//
//   1a2b3c4d s1 llm_01JD… ["default",…]<tab>{decision}
//
// `o` opens and `s` settles; `b` alone says that a process began here: what is open by then has died.
// The digit is the version of the columns: a newer Midwatch reads what an older one left behind.
import { crc32 } from 'node:zlib'
import type { LedgerRow } from '../tables.ts'

/** The columns of version 1, in the order in which a line has them. The id stands before them, the decision behind. */
const COLUMNS_1 = [
  'tenant',
  'key_id',
  'team',
  'user_hash',
  'charged_micro_usd',
  'request_id',
  'at',
  'model',
  'endpoint',
  'purpose',
  'provider',
  'provider_model',
  'status',
  'outcome',
  'attempts',
  'input_tokens',
  'cached_tokens',
  'cache_write_tokens',
  'cache_write_1h_tokens',
  'output_tokens',
  'reasoning_tokens',
  'usage_source',
  'cost_micro_usd',
  'cost_source',
  'cache',
  'duration_ms',
  'ttft_ms',
  'error_code',
] as const satisfies readonly (keyof LedgerRow)[]

type Missing = Exclude<keyof LedgerRow, (typeof COLUMNS_1)[number] | 'id' | 'decision'>
/** Does not compile when a column is in no line. */
const allColumns: Missing extends never ? typeof COLUMNS_1 : never = COLUMNS_1

/** A stranger chooses some of these texts (a model's name, say): no row may fill the disk. */
const MAX_TEXT = 500
const MAX_DECISION = 32_768
/** More than the longest line that those limits allow. */
export const MAX_LINE_BYTES = 1 << 18

/** Without its checksum and its end, which `frameLine` adds. */
export function rowLine(kind: 'open' | 'settle', row: LedgerRow): string {
  return `${kind === 'open' ? 'o' : 's'}1 ${row.id} ${JSON.stringify(valuesOf(row))}\t${decisionText(row.decision)}`
}

/** In the order of `COLUMNS_1`. Written out, for a loop over the names takes twice as long as all the rest of a line. */
const valuesOf = (row: LedgerRow): unknown[] => [
  clip(row.tenant),
  clip(row.key_id),
  clip(row.team),
  clip(row.user_hash),
  row.charged_micro_usd,
  clip(row.request_id),
  row.at,
  clip(row.model),
  clip(row.endpoint),
  clip(row.purpose),
  clip(row.provider),
  clip(row.provider_model),
  row.status,
  row.outcome,
  row.attempts,
  row.input_tokens,
  row.cached_tokens,
  row.cache_write_tokens,
  row.cache_write_1h_tokens,
  row.output_tokens,
  row.reasoning_tokens,
  row.usage_source,
  row.cost_micro_usd,
  row.cost_source,
  row.cache,
  row.duration_ms,
  row.ttft_ms,
  clip(row.error_code),
]

const clip = (text: string | null): string | null =>
  text !== null && text.length > MAX_TEXT ? text.slice(0, MAX_TEXT) : text

export const startLine = (): string => 'b1'

function decisionText(decision: string | null): string {
  if (decision === null || decision.length > MAX_DECISION) return ''
  // Between JSON's tokens a line break is white space, and inside of them there can be none.
  return decision.includes('\n') ? decision.replaceAll('\n', ' ') : decision
}

const CHECKSUM_LENGTH = 9
const SPACE = 0x20
const LINE_BREAK = 0x0a

/** What every line is written in, one after another: a buffer for each would be half of what a line costs. */
const page = Buffer.alloc(MAX_LINE_BYTES + 16)

/** The line of that content, with its checksum and its end. Good until the next line is framed. */
export function frameLine(content: string): Buffer {
  // Every text in it is clipped; what its characters take as UTF-8 was allowed for.
  const end = CHECKSUM_LENGTH + page.write(content, CHECKSUM_LENGTH)
  page.write(checksumOf(page.subarray(CHECKSUM_LENGTH, end)), 0, 'latin1')
  page[end] = LINE_BREAK
  return page.subarray(0, end + 1)
}

const checksumOf = (content: Buffer): string => `${crc32(content).toString(16).padStart(8, '0')} `

export type ReadLine =
  | { readonly kind: 'open' | 'settle'; readonly id: string; readonly text: string }
  | { readonly kind: 'start' }
  | { readonly kind: 'damaged' }

/** A line without its line break. The row is not read yet: a later line may make it needless. */
export function readLine(bytes: Buffer): ReadLine {
  const content = bytes.subarray(CHECKSUM_LENGTH)
  const checksum = bytes.toString('latin1', 0, CHECKSUM_LENGTH)
  if (content.length < 2 || checksumOf(content) !== checksum) return { kind: 'damaged' }
  const letter = content[0]
  if (letter === 0x62) return { kind: 'start' }
  const space = content.indexOf(SPACE, 3)
  if ((letter !== 0x6f && letter !== 0x73) || space < 0) return { kind: 'damaged' }
  return {
    kind: letter === 0x6f ? 'open' : 'settle',
    id: content.toString('utf8', 3, space),
    // With the version in front, which says how to read the rest.
    text: content.toString('latin1', 1, 2) + content.toString('utf8', space + 1),
  }
}

/** The columns of `readValues`, in its order. */
export const LINE_COLUMNS = ['id', ...allColumns, 'decision'] as const

/** The values of a line's row, from its `text`. Throws where a newer Midwatch wrote it. */
export function readValues(id: string, text: string): readonly unknown[] {
  if (!text.startsWith('1')) throw new Error(`a newer Midwatch wrote the line of ${id}`)
  const tab = text.indexOf('\t')
  const values = JSON.parse(text.slice(1, tab)) as unknown[]
  const decision = text.slice(tab + 1)
  return [id, ...values, decision === '' ? null : decision]
}
