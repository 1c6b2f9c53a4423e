// AsciiDoc and reStructuredText as the text they are, with the headings that their authors write nearly always.
import type { Block } from '../document.ts'
import type { Parsed } from './parsed.ts'
import { stretches } from './plain-text.ts'

/** `== Section`; comment blocks and lines are blanked. */
export function parseAsciidoc(source: string): Parsed {
  const text = source
    .replaceAll(/^\/{4,}\n[\s\S]*?^\/{4,}$/gm, (hidden) => hidden.replaceAll(/[^\n]/g, ' '))
    .replaceAll(/^\/\/(?!\/).*$/gm, (hidden) => ' '.repeat(hidden.length))
  return outline(text, (lines) => {
    const match = /^(={1,6})\s+(\S.*)$/.exec(lines[0] ?? '')
    return match ? { lines: 1, mark: match[1] ?? '=', words: match[2] ?? '', level: match[1]?.length ?? 1 } : undefined
  })
}

/** A line under (and perhaps over) the words; levels by the order in which the marks appear. */
export function parseRst(text: string): Parsed {
  return outline(text, (lines) => {
    const [first = '', second = '', third = ''] = lines
    if (isRule(first) && second.trim() !== '' && isRule(third) && first[0] === third[0]) {
      return { lines: 3, mark: `over${first[0]}`, words: second.trim() }
    }
    const under = first.trim() !== '' && !isRule(first) && isRule(second) && second.trim().length >= first.trim().length
    return under ? { lines: 2, mark: second[0] ?? '', words: first.trim() } : undefined
  })
}

const isRule = (line: string): boolean => /^([=\-~^"'`#*+.:_<>])\1{2,}\s*$/.test(line)

interface Heading {
  readonly lines: number
  readonly mark: string
  readonly words: string
  readonly level?: number
}

function outline(text: string, find: (lines: readonly string[]) => Heading | undefined): Parsed {
  const blocks: Block[] = []
  const marks: string[] = []
  for (const { start, end } of stretches(text)) {
    let at = start
    const lines = text.slice(start, Math.min(end, start + 2000)).split('\n', 3)
    const heading = find(lines)
    if (heading) {
      if (!marks.includes(heading.mark)) marks.push(heading.mark)
      at = Math.min(end, start + lines.slice(0, heading.lines).join('\n').length)
      const level = heading.level ?? marks.indexOf(heading.mark) + 1
      blocks.push({ kind: 'heading', level, words: heading.words, start, end: at })
    }
    if (text.slice(at, end).trim() !== '') blocks.push({ kind: 'paragraph', start: at, end })
  }
  return { text, blocks, title: blocks.find((block) => block.kind === 'heading')?.words }
}
