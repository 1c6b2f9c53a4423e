// Markdown: CommonMark, tables of pipes, front matter. Only blocks are told apart; inline markup stays in the text, and
// the rules for it, where hostile input costs quadratic time, are switched off.
import type { Nodes, RootContent } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { frontmatterFromMarkdown } from 'mdast-util-frontmatter'
import { frontmatter } from 'micromark-extension-frontmatter'
import { AppError } from '../../core/errors.ts'
import type { Block, Metadata } from '../document.ts'
import { readFrontMatter } from './front-matter.ts'
import { blankHidden, type Range } from './hidden-in-markdown.ts'
import { wordsOfInline } from './inline-words.ts'
import type { Parsed } from './parsed.ts'
import { splitTable } from './pipe-table.ts'

const INLINE = [
  'attention',
  'autolink',
  'characterEscape',
  'characterReference',
  'codeText',
  'definition',
  'hardBreakEscape',
  'htmlText',
  'labelEnd',
  'labelStartImage',
  'labelStartLink',
]
const EXTENSIONS = [frontmatter(['yaml', 'toml']), { disable: { null: INLINE } }]
const MDAST_EXTENSIONS = [frontmatterFromMarkdown(['yaml', 'toml'])]
/** A list item or quotation with more than this is taken apart into its own blocks. */
const LARGE_CHARACTERS = 800
/** Containers in one another beyond this are hostile: their cost grows with the square of the depth. */
const DEEPEST = 100
/** Nothing but a template's directive or a link definition, on a line; a definition may go on in the next one. */
const NO_CONTENT = /^(?:\{\{[<%].*[>%]\}\}|\{%.*%\}|\[TOC\]|\[\[_TOC_\]\]|:{3,}.*|\[[^\]\n]+\]:(?:\s+\S.*)?)$/
const LOOKED_INTO = 4_000
const TAGS = /<[^>]*>|&nbsp;|\s+/g

/** Offsets are those of `source`. What a reader would not see (comments, hidden elements) is blanked in the text. */
export function parseMarkdown(source: string): Parsed {
  refuseDepth(source)
  const tree = fromMarkdown(source, { extensions: EXTENSIONS, mdastExtensions: MDAST_EXTENSIONS })
  const code: Range[] = []
  collectCode(tree, code)
  const text = blankHidden(source, code)
  const blocks: Block[] = []
  let metadata: Metadata = {}
  for (const node of tree.children) {
    if (node.type === 'yaml') metadata = readFrontMatter('yaml', node.value)
    else if ((node.type as string) === 'toml') metadata = readFrontMatter('toml', (node as { value: string }).value)
    else addBlocks(node, text, blocks)
  }
  const first = blocks.find((block) => block.kind === 'heading' && block.level === 1)
  const title = typeof metadata['title'] === 'string' ? metadata['title'] : first?.words
  return { text, blocks, metadata, title }
}

function addBlocks(node: RootContent, text: string, into: Block[]): void {
  const start = node.position?.start.offset ?? 0
  const end = node.position?.end.offset ?? 0
  switch (node.type) {
    case 'heading':
      into.push({ kind: 'heading', level: node.depth, words: wordsOfInline(text.slice(start, end)), start, end })
      return
    case 'paragraph':
      if (hasContent(text.slice(start, Math.min(end, start + LOOKED_INTO)))) into.push(...splitTable(text, start, end))
      return
    case 'code':
      into.push({ kind: 'code', start, end })
      return
    case 'html':
      if (text.slice(start, end).replaceAll(TAGS, '') !== '') into.push({ kind: 'paragraph', start, end })
      return
    case 'list':
      for (const item of node.children) addBlocks(item, text, into)
      return
    case 'listItem':
    case 'blockquote': {
      const isSmall = end - start <= LARGE_CHARACTERS || node.children.length < 2
      const kind = node.type === 'listItem' ? 'list' : 'paragraph'
      if (isSmall && node.children.every((child) => child.type !== 'heading')) into.push({ kind, start, end })
      else addChildren(node.children, start, text, into)
      return
    }
    default:
  }
}

/** Line by line: one pattern for all of them would try every way to tell many lines apart. */
const hasContent = (paragraph: string): boolean =>
  paragraph.split('\n').some((line, i, lines) => {
    // The last one may be cut off in its middle.
    const isCut = i === lines.length - 1 && i > 0 && paragraph.length === LOOKED_INTO
    return !isCut && line.trim() !== '' && !NO_CONTENT.test(line.trim())
  })

/** The first one begins with the container's own mark ("1. "). */
function addChildren(children: readonly RootContent[], start: number, text: string, into: Block[]): void {
  const before = into.length
  for (const child of children) addBlocks(child, text, into)
  const first = into[before]
  if (first && first.start > start) into[before] = { ...first, start }
}

function collectCode(node: Nodes, into: Range[]): void {
  if (node.type === 'code' || node.type === 'yaml') {
    into.push({ start: node.position?.start.offset ?? 0, end: node.position?.end.offset ?? 0 })
  }
  if ('children' in node) for (const child of node.children) collectCode(child, into)
}

function refuseDepth(source: string): void {
  for (const [marks] of source.matchAll(/^(?:[ \t]*(?:>|[-+*](?=[ \t])|\d{1,9}[.)](?=[ \t]))){8,}/gm)) {
    if (marks.replaceAll(/[^>\-+*.)]/g, '').length > DEEPEST) throw tooDeep()
  }
}

const tooDeep = (): AppError =>
  new AppError('malformed', `The Markdown nests quotations or lists more than ${DEEPEST} deep. Flatten it.`)
