// Events of a stream that are not JSON, and yet say all that was meant: what some servers and proxies get wrong without
// losing anything. Whatever might have lost something is not repaired: then the answer counts as cut.

/** What the event holds, in order; undefined where it cannot be told without guessing. */
export function repairedValues(data: string): readonly unknown[] | undefined {
  const bare = data.replace(/^(?:data:\s*)+/, '')
  return (
    parsed([bare]) ??
    parsed([escapedControls(bare)]) ??
    parsed(bare.split('\n').map((line) => line.replace(/^data:\s*/, '')))
  )
}

function parsed(texts: readonly string[]): readonly unknown[] | undefined {
  try {
    // Two events without the blank line between them arrive as one of two lines.
    return texts
      .filter((text) => text.trim() !== '')
      .map((text) => (text.trim() === '[DONE]' ? '[DONE]' : (JSON.parse(text) as unknown)))
  } catch {
    return undefined
  }
}

const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** Control characters stand raw inside of strings where a server forgot to escape them; outside they mean nothing. */
function escapedControls(json: string): string {
  let out = ''
  let inString = false
  for (let i = 0; i < json.length; i++) {
    const char = json[i] ?? ''
    if (inString && char === '\\') {
      out += char + (json[++i] ?? '')
      continue
    }
    if (char === '"') inString = !inString
    out += inString && char < ' ' ? (ESCAPES[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`) : char
  }
  return out
}
