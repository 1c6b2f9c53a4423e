// JSON schemas as Gemini takes them (`parametersJsonSchema`, `responseJsonSchema`): a part of the standard, with
// references. What it has no keyword for is said in the description instead, where the model reads it.
import { isObject, type Json } from '../../dialects/json.ts'

const KNOWN = new Set([
  '$id',
  '$defs',
  '$ref',
  '$anchor',
  'type',
  'format',
  'title',
  'description',
  'enum',
  'items',
  'prefixItems',
  'minItems',
  'maxItems',
  'minimum',
  'maximum',
  'anyOf',
  'oneOf',
  'properties',
  'additionalProperties',
  'required',
  'propertyOrdering',
])
/** Nothing is lost without them. */
const NEEDLESS = new Set([
  '$schema',
  '$comment',
  'examples',
  'example',
  'default',
  'deprecated',
  'readOnly',
  'writeOnly',
])
const MAPS = new Set(['properties', '$defs'])
const LISTS = new Set(['anyOf', 'oneOf', 'prefixItems'])
/** Nobody's schema is deeper; what is would overflow the stack. */
const MAX_DEPTH = 200

export function acceptedSchema(schema: Json, depth = 0): Json {
  if (depth > MAX_DEPTH) return {}
  const reference = schema['$ref']
  // Beside a reference it takes nothing else.
  if (typeof reference === 'string')
    return { $ref: reference.replace('#/definitions/', '#/$defs/'), ...defs(schema, depth) }
  const out: Record<string, unknown> = {}
  const asked: string[] = []
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'definitions' || key === '$defs') Object.assign(out, defs(schema, depth))
    else if (key === 'const') out['enum'] = [value]
    else if (key === 'allOf' && Array.isArray(value) && value.length === 1 && isObject(value[0])) {
      Object.assign(out, acceptedSchema(value[0], depth + 1))
    } else if (KNOWN.has(key)) out[key] = acceptedValue(key, value, depth + 1)
    else if (!NEEDLESS.has(key)) asked.push(`${key}: ${JSON.stringify(value)}`)
  }
  if (asked.length > 0) {
    const said = typeof out['description'] === 'string' ? `${out['description']} ` : ''
    out['description'] = `${said}(${asked.join(', ')})`
  }
  return out
}

function defs(schema: Json, depth: number): Json {
  const all = { ...asObject(schema['definitions']), ...asObject(schema['$defs']) }
  return Object.keys(all).length === 0 ? {} : { $defs: acceptedValue('$defs', all, depth + 1) }
}

const asObject = (value: unknown): Json => (isObject(value) ? value : {})

function acceptedValue(key: string, value: unknown, depth: number): unknown {
  if (MAPS.has(key) && isObject(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([name, one]) => [name, isObject(one) ? acceptedSchema(one, depth) : {}]),
    )
  }
  if (LISTS.has(key) && Array.isArray(value)) {
    return value.map((one) => (isObject(one) ? acceptedSchema(one, depth) : {}))
  }
  if ((key === 'items' || key === 'additionalProperties') && isObject(value)) return acceptedSchema(value, depth)
  return value
}
