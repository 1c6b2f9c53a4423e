// Which strings of a request a person, a tool or a document may have put text in, over all dialects. Everything counts
// that is not named here: a field that nobody has heard of yet is looked at, not let through. What is left alone is what
// would break the call if it changed: names, ids and kinds; bytes in base64; addresses that the provider fetches;
// credentials that are meant for the provider's own tools.

/**
 * `fields`: members with a meaning in the dialect. `free`: the arguments of a tool and the like, in which every string,
 * and every key, is somebody's data. `skip`: nothing below is looked at.
 */
export type Region = 'fields' | 'free' | 'skip'

const STRUCTURE = new Set(
  (
    'model role type id name object status phase format media_type mime_type detail index service_tier effort ' +
    'reasoning_effort verbosity encoding_format ttl signature encrypted_content file_data image_data b64_json ' +
    'partial_image_b64 image_url url file_url server_url server_label authorization authorization_token pattern $ref ' +
    '$id $schema truncation voice prompt_cache_key finish_reason stop_reason quality size background syntax ' +
    'container file_ids vector_store_ids call_id item_id file_id tool_call_id tool_use_id tool_name ' +
    'previous_response_id response_id message_id batch_id connector_id conversation transcript_id fingerprint'
  ).split(' '),
)

/** Lists and tables that are left alone as a whole. */
const STRUCTURED = new Set([
  'headers',
  'stop',
  'stop_sequences',
  'include',
  'mcp_servers',
  'cache_control',
  'modalities',
])

/** Objects whose members the caller or the model has named. */
const FREE = new Set(['metadata', 'arguments', 'variables', 'env'])

/** The region inside an object or array that stands under `key`, in one of whose kind. `depth` counts from 1. */
export function regionOf(outer: Region, key: string, parentKey: string, depth: number): Region {
  if (outer !== 'fields') return outer
  // A property of a JSON schema may have any name.
  if (parentKey === 'properties') return 'fields'
  if (STRUCTURED.has(key)) return 'skip'
  if (FREE.has(key)) return 'free'
  // The input of the Responses API is at the top; that of a tool call is deeper.
  return key === 'input' && depth > 1 ? 'free' : 'fields'
}

/**
 * What a string under that key is. `verbatim`: the provider has signed it, so only what stands elsewhere in the request
 * as well may be replaced in it: then it comes out as the model wrote it.
 */
export function stringKind(region: Region, key: string, siblings: () => string): 'text' | 'verbatim' | 'structure' {
  if (region === 'skip') return 'structure'
  if (region === 'free') return 'text'
  if (STRUCTURE.has(key)) return 'structure'
  if (key === 'thinking') return 'verbatim'
  // A document's `data` is base64 or, in a plain one, its text.
  if (key === 'data') return /"(?:base64|redacted_thinking)"|"format"\s*:/.test(siblings()) ? 'structure' : 'text'
  return 'text'
}
