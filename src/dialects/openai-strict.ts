// Whether OpenAI would hold a model to a JSON schema (`strict`). It refuses one that leaves a member free to be absent or an
// object open, both of which other makers' strict modes take; then the schema is shown to the model and not enforced.
import { isObject, type Json } from './json.ts'

const REFUSED = ['allOf', 'oneOf', 'not', 'if', 'then', 'else', 'patternProperties', 'dependentRequired']
const LISTS = ['anyOf', 'prefixItems']
const MAPS = ['properties', '$defs', 'definitions']
/** OpenAI takes ten levels. */
const MAX_DEPTH = 32

export function isStrictForOpenAi(schema: Json, depth = 0): boolean {
  if (depth > MAX_DEPTH || REFUSED.some((key) => schema[key] !== undefined)) return false
  const { properties, required, items } = schema
  if (isObject(properties) || schema['type'] === 'object') {
    const names = new Set(Array.isArray(required) ? (required as unknown[]) : [])
    if (schema['additionalProperties'] !== false) return false
    if (!Object.keys(properties ?? {}).every((name) => names.has(name))) return false
  }
  const inner = [
    ...(items === undefined ? [] : [items]),
    ...LISTS.flatMap((key) => (Array.isArray(schema[key]) ? (schema[key] as unknown[]) : [])),
    ...MAPS.flatMap((key) => Object.values(isObject(schema[key]) ? schema[key] : {})),
  ]
  return inner.every((one) => isObject(one) && isStrictForOpenAi(one, depth + 1))
}
