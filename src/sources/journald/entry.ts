// One entry of a journal as `journalctl --output=json` prints it: all values are text, those that are not UTF-8 are lists of
// bytes, fields that occur several times are lists, and what is too long is null.
import { z } from 'zod'

export interface Entry {
  readonly cursor: string
  /** Microseconds since the epoch. */
  readonly us: number
  readonly message: string
  readonly priority: string | undefined
  readonly unit: string | undefined
  readonly userUnit: string | undefined
  /** The unit that the service manager speaks of. */
  readonly about: string | undefined
  readonly identifier: string | undefined
  readonly transport: string | undefined
}

const scalar = z.union([z.string(), z.array(z.number().int().min(0).max(255))])
const field = z.union([scalar, z.array(scalar), z.null()]).optional()
const shape = z.object({
  __CURSOR: z.string(),
  __REALTIME_TIMESTAMP: z.string().regex(/^\d{1,16}$/),
  MESSAGE: field,
  PRIORITY: field,
  _SYSTEMD_UNIT: field,
  _SYSTEMD_USER_UNIT: field,
  UNIT: field,
  SYSLOG_IDENTIFIER: field,
  _TRANSPORT: field,
})

/** Undefined for a line that is none. */
export function readEntry(text: string): Entry | undefined {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return undefined
  }
  const parsed = shape.safeParse(json)
  if (!parsed.success) return undefined
  const { data } = parsed
  return {
    cursor: data.__CURSOR,
    us: Number(data.__REALTIME_TIMESTAMP),
    message: textOf(data.MESSAGE) ?? '',
    priority: textOf(data.PRIORITY),
    unit: textOf(data._SYSTEMD_UNIT),
    userUnit: textOf(data._SYSTEMD_USER_UNIT),
    about: textOf(data.UNIT),
    identifier: textOf(data.SYSLOG_IDENTIFIER),
    transport: textOf(data._TRANSPORT),
  }
}

/**
 * Whose entry it is. `UNIT` is believed of the service manager alone, as any program may write it; a user's units run inside
 * the unit of that user; what has no unit (the kernel) goes by its identifier.
 */
export function unitOf({ unit, userUnit, about, identifier, transport }: Entry): string {
  if (about !== undefined && (unit === undefined || unit === 'init.scope')) return about
  return userUnit ?? unit ?? identifier ?? transport ?? ''
}

type Field = z.output<typeof field>

function textOf(value: Field): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return value
  if (isBytes(value)) return Buffer.from(value).toString('utf8')
  return textOf(value[0])
}

const isBytes = (value: readonly unknown[]): value is number[] => value.every((one) => typeof one === 'number')
