// What Anthropic's models differ in, as far as a request has to be written differently. Told by family and version, so
// that dated names, Bedrock's and Vertex's names and names of tomorrow are understood; what is newer than we know is
// taken for as strict as the newest.

export interface ModelTraits {
  /** The most it may write; also what is asked for where the caller set no limit. */
  readonly maxOutputTokens: number
  /** Goes on behind an assistant's message that ends the conversation. Refused since 4.6. */
  readonly prefill: boolean
  /** Takes temperature, top_p and top_k. Refused since Opus 4.7. */
  readonly sampling: boolean
  /** `adaptive`: it decides how long to think, guided by an effort. `budget`: it is given a number of tokens. */
  readonly thinking: 'none' | 'budget' | 'adaptive'
  /** How thinking is turned off: by leaving it away, by saying so, or not at all (then as little as it can). */
  readonly unthinking: 'omit' | 'disabled' | 'between_tools' | 'low-effort'
  /** Takes the effort `xhigh`. */
  readonly xhighEffort: boolean
  /** Can be forced to call a tool. */
  readonly forcedTools: boolean
  /** Keeps to a JSON schema (`output_config.format`, strict tools). */
  readonly schemas: boolean
}

/** `claude-opus-4-6`, `us.anthropic.claude-sonnet-4-5-20250929-v1:0`, `claude-opus-4@20250514`. */
const NEW_NAME = /claude-(opus|sonnet|haiku|fable|mythos)-(\d+|preview)(?:[-.](\d{1,2}))?(?!\d)/
/** `claude-3-5-sonnet-20241022`, `claude-2.1`, `claude-instant-1`. */
const OLD_NAME = /claude-(?:v?(\d)(?:[-.](\d))?(?!\d)|instant)/

const NEWEST = { family: 'opus', version: Number.POSITIVE_INFINITY }

export function traitsOf(model: string): ModelTraits {
  const { family, version } = nameOf(model)
  const always = family === 'fable' || family === 'mythos'
  const since = (least: number) => version >= least
  return {
    maxOutputTokens: maxOutput(family, version),
    prefill: !since(4.6) && !always,
    sampling: !since(family === 'opus' ? 4.7 : 5) && !always,
    thinking: since(4.6) || always ? 'adaptive' : since(3.7) ? 'budget' : 'none',
    unthinking: unthinking(family, version, always),
    xhighEffort: since(family === 'opus' ? 4.7 : 5),
    forcedTools: always ? !since(5.1) : family === 'haiku' || !since(5.5),
    schemas: since(family === 'opus' ? 4.1 : 4.5),
  }
}

function nameOf(model: string): { family: string; version: number } {
  const named = NEW_NAME.exec(model)
  if (named) {
    const [, family = '', major = '', minor = '0'] = named
    return major === 'preview' ? { ...NEWEST, family } : { family, version: Number(major) + Number(minor) / 10 }
  }
  const old = OLD_NAME.exec(model)
  if (old) return { family: 'old', version: Number(old[1] ?? 1) + Number(old[2] ?? 0) / 10 }
  return NEWEST
}

function maxOutput(family: string, version: number): number {
  if (version >= 4.6) return 128_000
  if (version >= 4.5) return 64_000
  if (version >= 4) return family === 'opus' ? 32_000 : 64_000
  if (version >= 3.7) return 64_000
  return version >= 3.5 ? 8192 : 4096
}

/** Since 5 they think where nothing is said. */
function unthinking(family: string, version: number, always: boolean): ModelTraits['unthinking'] {
  if (always) return 'low-effort'
  if (version < 5) return 'omit'
  if (family === 'haiku' || version < 5.5) return 'disabled'
  return family === 'sonnet' ? 'between_tools' : 'low-effort'
}
