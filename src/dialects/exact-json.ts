// JSON that is read only to be written again: whole numbers beyond what a double holds keep their digits. What a tool is
// called with is somebody's order number or a snowflake id, and the next one up is somebody else's.

/** Node has it; the types do not yet. */
interface ExactJson {
  parse(text: string, reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown
  rawJSON(text: string): unknown
  isRawJSON(value: unknown): boolean
}

const exact = JSON as unknown as ExactJson

const LONG_NUMBER = /\d{16}/

/** As `JSON.parse`, but that such a number is an object which `JSON.stringify` writes with its own digits. */
export function parseExact(text: string): unknown {
  if (!LONG_NUMBER.test(text)) return JSON.parse(text) as unknown
  try {
    return exact.parse(text, withItsDigits)
  } catch (error) {
    // A reviver goes down into what is nested; what is nested too deep for it is read without.
    if (error instanceof RangeError) return JSON.parse(text) as unknown
    throw error
  }
}

function withItsDigits(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  const lost = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
  return lost && source !== undefined && /^-?\d+$/.test(source) ? exact.rawJSON(source) : value
}

/**
 * The arguments of a tool call as the object that Anthropic, Google and Bedrock demand; what a model wrote that is none is
 * kept inside of one.
 */
export function toolInputOf(json: string): unknown {
  if (json.trim() === '') return {}
  try {
    const value = parseExact(json)
    const isObject = value !== null && typeof value === 'object' && !Array.isArray(value) && !exact.isRawJSON(value)
    return isObject ? value : { arguments: value }
  } catch {
    return { arguments: json }
  }
}
