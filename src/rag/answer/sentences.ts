// Where sentences begin and end, as offsets: of a passage, and of an answer while it is being said. A line of a list, of a
// table or of code is a sentence of its own; a fenced block is one. What stands in brackets behind the full stop (`It is. [1]`)
// belongs to the sentence before it.

export interface Span {
  readonly start: number
  readonly end: number
}

const FENCE = /^[ \t]*(```+|~~~+)/
/** Lines that begin something new, whatever the one before them said. */
const ITEM = /^[ \t]*(?:[-*+•]|\d{1,3}[.)]|#{1,6}|\||>)(?:\s|$)/
const CITATIONS = /(?:[ \t]*\[[\d ,;–-]{1,40}\])+/y
const ABBREVIATIONS =
  /(?:^|[\s(])(?:e\.g|i\.e|etc|cf|vs|approx|no|fig|sec|dr|mr|mrs|ms|st|z\.\s?b|d\.\s?h|bzw|ca|nr)\.$/i

/** In order, trimmed, none of them empty. */
export function splitSentences(text: string): readonly Span[] {
  const found: Span[] = []
  let paragraph = -1
  const close = (end: number): void => {
    if (paragraph >= 0) splitParagraph(text, paragraph, end, found)
    paragraph = -1
  }
  let fence: { readonly mark: string; readonly start: number } | undefined
  for (let at = 0; at < text.length;) {
    const newline = text.indexOf('\n', at)
    const end = newline < 0 ? text.length : newline
    const line = text.slice(at, end)
    const mark = FENCE.exec(line)?.[1]
    if (fence) {
      if (mark?.startsWith(fence.mark)) {
        push(text, fence.start, end, found)
        fence = undefined
      }
    } else if (mark !== undefined) {
      close(at)
      fence = { mark, start: at }
    } else if (line.trim() === '') close(at)
    else if (ITEM.test(line)) {
      close(at)
      paragraph = at
    } else if (paragraph < 0) paragraph = at
    at = end + 1
  }
  if (fence) push(text, fence.start, text.length, found)
  close(text.length)
  return found
}

/** How much of a text that still grows is whole sentences: nothing behind can change what is before. */
export function wholeSentences(growing: string): number {
  // Half a character may be any: it is judged with its other half.
  const text = /[\ud800-\udbff]$/.test(growing) ? growing.slice(0, -1) : growing
  const spans = splitSentences(text)
  const last = spans.at(-1)
  if (!last) return 0
  const rest = text.slice(last.end)
  // A blank line ends whatever it stands behind; one line end only a sentence that ended by itself.
  if (/\n[ \t]*\n/.test(rest) && !isOpenFence(text.slice(last.start, last.end))) return text.length
  return last.start
}

const isOpenFence = (text: string): boolean => FENCE.test(text) && !/\n[ \t]*(?:```+|~~~+)[ \t]*$/.test(text)

function splitParagraph(text: string, from: number, to: number, found: Span[]): void {
  let start = from
  const ends = /[.!?…。！？]+["'”’)\]*_]*/g
  ends.lastIndex = from
  for (let match = ends.exec(text); match && match.index < to; match = ends.exec(text)) {
    let end = match.index + match[0].length
    CITATIONS.lastIndex = end
    const cited = CITATIONS.exec(text)
    if (cited) end += cited[0].length
    const wide = /[。！？]/.test(match[0])
    if (end > to || (!wide && end < to && !/\s/.test(text[end] ?? ''))) continue
    const before = text.slice(start, match.index + match[0].length)
    if (!wide && !cited && (ABBREVIATIONS.test(before) || /^[ \t]*\d{1,3}[.)]$/.test(before))) continue
    if (!wide && !cited && /^\s*\p{Ll}/u.test(text.slice(end, Math.min(to, end + 20))) && match[0] === '.') continue
    push(text, start, end, found)
    start = end
    ends.lastIndex = end
  }
  push(text, start, to, found)
}

function push(text: string, from: number, to: number, found: Span[]): void {
  const part = text.slice(from, to)
  const start = from + (part.length - part.trimStart().length)
  const end = from + part.trimEnd().length
  if (end > start) found.push({ start, end })
}
