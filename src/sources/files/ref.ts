// Where a line can be read again: the file's name in its folder, the byte at which the line begins, and a short hash
// of the line, so that a file that was rotated or rewritten never passes another line off as this one.
import { sha256Hex } from '../../core/hash.ts'

export interface LineRef {
  readonly name: string
  readonly offset: number
  readonly hash: string
}

const REF = /^(.+):(\d{1,15}):([0-9a-f]{12})$/s

export const printRef = ({ name, offset, hash }: LineRef): string => `${name}:${offset}:${hash}`

/** Undefined for what is no reference, or names something outside a folder. */
export function parseRef(text: string): LineRef | undefined {
  const match = REF.exec(text)
  const [, name = '', offset = '', hash = ''] = match ?? []
  if (!match || name.split(/[/\\]/).includes('..') || name.includes('\0')) return undefined
  return { name, offset: Number(offset), hash }
}

export const hashLine = (bytes: Uint8Array): string => sha256Hex(bytes).slice(0, 12)
