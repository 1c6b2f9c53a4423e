// The readable text of a page: its main content without navigation, scripts and whatever is hidden. A row of a table
// becomes a line that names its columns, so that it can be understood without the rows above.
import { type DefaultTreeAdapterTypes as Tree, parse } from 'parse5'
import { isHidden, NOT_TEXT } from './hidden.ts'
import type { Parsed } from './parsed.ts'
import { TextBuilder } from './text-builder.ts'

const AROUND_CONTENT = new Set(['nav', 'footer', 'aside'])
const AROUND_ROLES = new Set(['navigation', 'banner', 'contentinfo', 'search', 'complementary', 'menu', 'dialog'])
const INLINE = new Set(
  'a abbr acronym b bdi bdo big cite code data del dfn em font i img ins kbd label mark q s samp small span strike strong sub sup time tt u var wbr'.split(
    ' ',
  ),
)
const MOST_COLUMNS = 200

export function parseHtml(source: string): Parsed {
  const tree = parse(source)
  const out = new TextBuilder()
  const body = find(tree, (element) => element.tagName === 'body') ?? tree
  const root = mainOf(body)
  const walk = new Walk(out, root === body)
  walk.children(root)
  walk.flush()
  const title = find(tree, (element) => element.tagName === 'title')
  const heading = out.blocks.find((block) => block.kind === 'heading' && block.level === 1)
  return { text: out.text, blocks: out.blocks, title: (title && collapse(textOf(title))) || heading?.words }
}

/** `main` where there is exactly one that has text, else the only `article`, else everything. */
function mainOf(body: Tree.ParentNode): Tree.ParentNode {
  for (const isMain of [
    (e: Tree.Element) => e.tagName === 'main' || attribute(e, 'role') === 'main',
    (e: Tree.Element) => e.tagName === 'article',
  ]) {
    const found = findAll(body, (element) => isMain(element) && !isHidden(element))
    const [only] = found
    if (only && found.length === 1 && collapse(textOf(only)) !== '') return only
  }
  return body
}

class Walk {
  readonly #out: TextBuilder
  readonly #isWholePage: boolean
  #inline = ''
  #item = false

  constructor(out: TextBuilder, isWholePage: boolean) {
    this.#out = out
    this.#isWholePage = isWholePage
  }

  children(parent: Tree.ParentNode): void {
    for (const node of parent.childNodes) {
      if (node.nodeName === '#text') this.#inline += (node as Tree.TextNode).value
      else if ('tagName' in node) this.#element(node)
    }
  }

  flush(): void {
    this.#out.add(
      { kind: this.#item ? 'list' : 'paragraph' },
      `${this.#item ? '- ' : ''}${collapse(this.#inline)}`.replace(/^- $/, ''),
    )
    this.#inline = ''
    this.#item = false
  }

  #element(element: Tree.Element): void {
    const { tagName } = element
    if (isUnread(element, this.#isWholePage)) return
    if (INLINE.has(tagName)) return this.children(element)
    if (tagName === 'br') {
      this.#inline += '\n'
      return
    }
    const level = /^h([1-6])$/.exec(tagName)?.[1]
    this.flush()
    if (level !== undefined) {
      const words = collapse(textOf(element)).replace(/\s*[¶#§]$/, '')
      this.#out.add({ kind: 'heading', level: Number(level), words }, words)
    } else if (tagName === 'pre') this.#out.add({ kind: 'code' }, textOf(element))
    else if (tagName === 'table' && isDataTable(element)) this.#table(element)
    else {
      this.#item = tagName === 'li'
      this.children(element)
      this.flush()
    }
  }

  #table(table: Tree.Element): void {
    const caption = find(table, (element) => element.tagName === 'caption')
    if (caption && !isHidden(caption)) this.#out.add({ kind: 'paragraph' }, collapse(textOf(caption)))
    const rows = findAll(table, (element) => element.tagName === 'tr')
    let names: readonly string[] = []
    for (const [i, row] of rows.entries()) {
      const inRow = row.childNodes.filter(
        (node) => 'tagName' in node && (node.tagName === 'td' || node.tagName === 'th'),
      ) as Tree.Element[]
      const shown = inRow.slice(0, MOST_COLUMNS)
      const cells = shown.map((cell) => (isHidden(cell) ? '' : collapse(textOf(cell))))
      if (isHidden(row)) continue
      const isHeader = shown.length > 0 && shown.every((cell) => cell.tagName === 'th')
      if (isHeader && (i === 0 || names.length === 0)) {
        names = cells
        this.#out.add({ kind: 'table' }, cells.join(' | '))
      } else {
        const named = cells.map((cell, at) => (cell === '' ? '' : names[at] ? `${names[at]}: ${cell}` : cell))
        this.#out.add({ kind: 'table' }, named.filter((cell) => cell !== '').join(names.length > 0 ? '; ' : ' | '))
      }
    }
  }
}

/** Tables that only lay out a page hold blocks or tables of their own. */
const isDataTable = (table: Tree.Element): boolean =>
  attribute(table, 'role') !== 'presentation' &&
  !find(table, (element) => element !== table && /^(?:table|h[1-6]|pre)$/.test(element.tagName))

function isUnread(element: Tree.Element, isWholePage = false): boolean {
  if (NOT_TEXT.has(element.tagName) || isHidden(element)) return true
  if (AROUND_CONTENT.has(element.tagName) || AROUND_ROLES.has(attribute(element, 'role') ?? '')) return true
  // A page's header is navigation, unless it holds the page's own heading.
  return isWholePage && element.tagName === 'header' && !find(element, (inner) => inner.tagName === 'h1')
}

function textOf(parent: Tree.ParentNode): string {
  let text = ''
  for (const node of parent.childNodes) {
    if (node.nodeName === '#text') text += (node as Tree.TextNode).value
    else if ('tagName' in node) {
      if (node.tagName === 'br') text += '\n'
      else if (!isUnread(node)) text += INLINE.has(node.tagName) ? textOf(node) : `${textOf(node)} `
    }
  }
  return text
}

function find(parent: Tree.ParentNode, test: (element: Tree.Element) => boolean): Tree.Element | undefined {
  return search(parent, test).next().value ?? undefined
}

const findAll = (parent: Tree.ParentNode, test: (element: Tree.Element) => boolean): Tree.Element[] => [
  ...search(parent, test),
]

/** In the order of the document, without recursion: pages may be nested as deep as they are long. */
function* search(parent: Tree.ParentNode, test: (element: Tree.Element) => boolean): Generator<Tree.Element, void> {
  const stack: Tree.Node[] = [...parent.childNodes].reverse()
  for (let node = stack.pop(); node; node = stack.pop()) {
    if ('tagName' in node && test(node)) yield node
    if ('childNodes' in node)
      for (let i = node.childNodes.length - 1; i >= 0; i--) stack.push(node.childNodes[i] as Tree.Node)
  }
}

const attribute = (element: Tree.Element, name: string): string | undefined =>
  element.attrs.find((one) => one.name === name)?.value

/** Zero-width characters go too: they carry messages that nobody sees. */
const collapse = (text: string): string =>
  text
    .replaceAll(/[\u200b-\u200f\u2060\u{e0000}-\u{e007f}]/gu, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
