// Blanks what Markdown hides from its reader: comments, scripts and hidden elements. Blanked, not removed: the text keeps
// its length and lines, and so all offsets stay those of the file.
import { type DefaultTreeAdapterTypes as Tree, parseFragment } from 'parse5'
import { isHidden } from './hidden.ts'

export interface Range {
  readonly start: number
  readonly end: number
}

const UNSEEN = new Set(['script', 'style', 'template', 'iframe', 'object', 'svg'])
/** A cheap look whether there is anything to hide; most Markdown has none. */
const MAY_HIDE = /<(?:!|[a-z][^>]*(?:style|hidden)|script|style|template|iframe|object|svg)/i

/** @param code what is shown as it stands, tags and all, in order */
export function blankHidden(source: string, code: readonly Range[]): string {
  if (!MAY_HIDE.test(source)) return source
  const markup = blank(
    source,
    [...code, ...codeSpans(source)].sort((a, b) => a.start - b.start),
  )
  return blank(source, hiddenRanges(markup))
}

function hiddenRanges(markup: string): Range[] {
  const ranges: Range[] = []
  const stack: Tree.Node[] = [parseFragment(markup, { sourceCodeLocationInfo: true })]
  for (let node = stack.pop(); node; node = stack.pop()) {
    const place = 'sourceCodeLocation' in node ? node.sourceCodeLocation : undefined
    if (node.nodeName === '#comment' && place) {
      // A comment that nobody closed is shown by some and hidden by others; it ends where its line does.
      const closed = markup.slice(place.startOffset, place.endOffset).endsWith('>')
      const lineEnd = markup.indexOf('\n', place.startOffset)
      const end = closed || lineEnd === -1 ? place.endOffset : lineEnd
      ranges.push({ start: place.startOffset, end })
      continue
    }
    if ('tagName' in node && place) {
      // `<script>` in prose that is never closed is somebody's placeholder, not a script.
      const isClosed = 'endTag' in place && place.endTag !== undefined
      if (isHidden(node) || (UNSEEN.has(node.tagName) && isClosed)) {
        ranges.push({ start: place.startOffset, end: place.endOffset })
        continue
      }
    }
    if ('childNodes' in node)
      for (let i = node.childNodes.length - 1; i >= 0; i--) stack.push(node.childNodes[i] as Tree.Node)
  }
  return ranges.sort((a, b) => a.start - b.start)
}

/** `` `<div>` `` in a line: tags there are talked about. */
function codeSpans(source: string): Range[] {
  return Array.from(source.matchAll(/(?<!`)(`{1,3})(?!`)[^`\n]+\1(?!`)/g), (match) => ({
    start: match.index,
    end: match.index + match[0].length,
  }))
}

/** The text with all but the line ends in the ranges made into spaces. Ranges are by start, and may overlap. */
function blank(text: string, ranges: readonly Range[]): string {
  const parts: string[] = []
  let at = 0
  for (const range of ranges) {
    const start = Math.max(at, range.start)
    if (range.end <= start) continue
    parts.push(text.slice(at, start), text.slice(start, range.end).replaceAll(/[^\n\r]/g, ' '))
    at = range.end
  }
  return parts.join('') + text.slice(at)
}
