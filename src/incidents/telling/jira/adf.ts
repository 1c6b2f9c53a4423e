// Parts as Jira Cloud's documents (Atlassian Document Format, version 1). Text is a node of its own there and never read as
// markup: what a stranger wrote becomes no mention, link or picture, for only a mark or another node could make it one.
import { fitParts, type Part } from '../ticket-words.ts'
import { MAX_JIRA_TEXT } from './wiki.ts'

export interface AdfNode {
  readonly type: string
  readonly version?: number
  readonly text?: string
  readonly marks?: readonly { readonly type: string; readonly attrs?: Readonly<Record<string, string>> }[]
  readonly content?: readonly AdfNode[]
}

export const toAdf = (parts: readonly Part[]): AdfNode => ({
  type: 'doc',
  version: 1,
  content: fitParts(parts, (part) => JSON.stringify(nodesOf(part)).length, MAX_JIRA_TEXT).flatMap(nodesOf),
})

function nodesOf(part: Part): readonly AdfNode[] {
  switch (part.kind) {
    case 'text':
      return part.text.split(/\n+/).flatMap((line) => paragraph(line))
    case 'list':
      return [
        ...paragraph(part.title, [{ type: 'strong' }]),
        {
          type: 'bulletList',
          content: part.items.map((item) => ({
            type: 'listItem',
            content: paragraph(item.trim() === '' ? '-' : item),
          })),
        },
      ]
    case 'link':
      return paragraph(part.text, [{ type: 'link', attrs: { href: part.url } }])
  }
}

/** An empty text node is refused. */
const paragraph = (text: string, marks?: AdfNode['marks']): readonly AdfNode[] =>
  text.trim() === ''
    ? []
    : [{ type: 'paragraph', content: [{ type: 'text', text: text.trim(), ...(marks ? { marks } : {}) }] }]
