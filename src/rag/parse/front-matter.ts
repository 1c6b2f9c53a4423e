// The scalars of a document's front matter as metadata. Bad front matter costs its metadata, not the document.
import { parse } from 'yaml'
import type { Metadata } from '../document.ts'

const MOST_KEYS = 64
const LONGEST_VALUE = 1000
const LONGEST_SOURCE = 64 * 1024

/** YAML (`---`) or TOML (`+++`; its top-level strings, numbers and booleans). Lists of scalars are joined by commas. */
export function readFrontMatter(kind: 'yaml' | 'toml', source: string): Metadata {
  if (source.length > LONGEST_SOURCE) return {}
  const entries = kind === 'yaml' ? yamlEntries(source) : tomlEntries(source)
  const metadata: Record<string, string | number | boolean> = {}
  for (const [key, value] of entries.slice(0, MOST_KEYS)) {
    const scalar = toScalar(value)
    if (scalar !== undefined && key !== '__proto__') metadata[key] = scalar
  }
  return metadata
}

function yamlEntries(source: string): [string, unknown][] {
  try {
    const value: unknown = parse(source, { logLevel: 'silent', maxAliasCount: 20 })
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : []
  } catch {
    return []
  }
}

function tomlEntries(source: string): [string, unknown][] {
  const entries: [string, unknown][] = []
  for (const line of source.split('\n')) {
    if (/^\s*\[/.test(line)) break
    const match = /^\s*([\w-]{1,64})\s*=\s*(?:"([^"]*)"|'([^']*)'|(true|false)|([-+]?\d+(?:\.\d+)?))\s*(?:#.*)?$/.exec(
      line,
    )
    const [, key, double, single, flag, number] = match ?? []
    if (key === undefined) continue
    entries.push([key, double ?? single ?? (flag === undefined ? Number(number) : flag === 'true')])
  }
  return entries
}

function toScalar(value: unknown): string | number | boolean | undefined {
  if (typeof value === 'string') return value.slice(0, LONGEST_VALUE)
  if (typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (value instanceof Date) return value.toISOString()
  if (!Array.isArray(value)) return undefined
  const scalars = value.filter((item) => typeof item === 'string' || typeof item === 'number')
  return scalars.length > 0 ? scalars.join(', ').slice(0, LONGEST_VALUE) : undefined
}
