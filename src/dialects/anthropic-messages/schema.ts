// JSON schemas as Anthropic's constrained decoding takes them: every object closed, and none of the keywords that it
// answers with 400. What such a keyword asked for is said in the description instead, where the model reads it.
import { isObject, type Json } from '../json.ts'

/** Keywords whose value is a schema, a list of them, or a map of them. */
const INNER = new Set(['items', 'not', 'additionalProperties', 'contains', 'if', 'then', 'else'])
const LISTS = new Set(['anyOf', 'allOf', 'oneOf', 'prefixItems'])
const MAPS = new Set(['properties', '$defs', 'definitions', 'patternProperties'])

const REFUSED = new Set([
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'pattern',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
  'patternProperties',
  'not',
  'contains',
  'if',
  'then',
  'else',
])
const FORMATS = new Set(['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'uri', 'ipv4', 'ipv6', 'uuid'])
/** Nobody's schema is deeper; what is would overflow the stack. */
const MAX_DEPTH = 200

export function closedSchema(schema: Json, depth = 0): Json {
  if (depth > MAX_DEPTH) return {}
  const out: Record<string, unknown> = {}
  const asked: string[] = []
  for (const [key, value] of Object.entries(schema)) {
    if (isRefused(key, value)) asked.push(`${key}: ${JSON.stringify(value)}`)
    else out[key === 'oneOf' ? 'anyOf' : key] = closedValue(key, value, depth + 1)
  }
  if (isObject(out['properties']) || out['type'] === 'object') out['additionalProperties'] = false
  if (asked.length > 0) {
    const said = typeof out['description'] === 'string' ? `${out['description']} ` : ''
    out['description'] = `${said}(${asked.join(', ')})`
  }
  return out
}

function isRefused(key: string, value: unknown): boolean {
  if (key === 'minItems') return value !== 0 && value !== 1
  if (key === 'format') return typeof value !== 'string' || !FORMATS.has(value)
  return REFUSED.has(key)
}

function closedValue(key: string, value: unknown, depth: number): unknown {
  if (INNER.has(key) && isObject(value)) return closedSchema(value, depth)
  if (LISTS.has(key) && Array.isArray(value)) {
    return value.map((one) => (isObject(one) ? closedSchema(one, depth) : (one as unknown)))
  }
  if (MAPS.has(key) && isObject(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([name, one]) => [name, isObject(one) ? closedSchema(one, depth) : one]),
    )
  }
  return value
}
