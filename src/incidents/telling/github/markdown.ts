// Parts as GitHub's Markdown. Other people's text stays text: what CommonMark would read is escaped, and what GitHub looks
// for afterwards, where no backslash helps any more (@people, #issues, GH-1), is cut by a comment that nobody sees.
import { plain } from '../../markdown.ts'
import { fitParts, type Part } from '../ticket-words.ts'

const CUT = '<!-- -->'

export const toMarkdown = (parts: readonly Part[], most: number): string =>
  fitParts(parts, (part) => markdownOf(part).length, most)
    .map(markdownOf)
    .join('\n\n')

function markdownOf(part: Part): string {
  switch (part.kind) {
    case 'text':
      return part.text.split(/\n+/).map(plainMarkdown).join('\n\n')
    case 'list':
      return [`**${plainMarkdown(part.title)}**`, '', ...part.items.map((item) => `- ${plainMarkdown(item)}`)].join(
        '\n',
      )
    case 'link':
      return `[${plainMarkdown(part.text)}](${part.url})`
  }
}

/** One line of text that stays text. */
export const plainMarkdown = (text: string): string =>
  plain(text)
    .replaceAll(/\\([@#])/g, `\\$1${CUT}`)
    .replaceAll(/\b(GH)-(?=\d)/gi, `$1${CUT}-`)
    .replaceAll(/:(?=[\w+-]+:)/g, `:${CUT}`)
    .replaceAll('$', String.raw`\$`)

/** Our mark in a body: seen by programs alone. */
export const markOf = (incidentId: string, step: string, at: number): string =>
  `<!-- midwatch ${incidentId} ${step} ${at} -->`

export interface Mark {
  readonly incidentId: string
  readonly step: string
  readonly at: number
}

export function findMark(body: string): Mark | undefined {
  const [, incidentId, step, at] = /<!-- midwatch (\S+) (\S+) (\d+) -->/.exec(body) ?? []
  return incidentId === undefined || step === undefined ? undefined : { incidentId, step, at: Number(at) }
}
