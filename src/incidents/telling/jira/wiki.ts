// Parts as the markup of Jira Server and Data Center. Every character of other people's text that begins something there is
// escaped: `{macro}`, `[link]`, `[~user]`, `!picture!`, `*bold*`, `||table||`, `#`, and what a line may begin with.
import { fitParts, type Part } from '../ticket-words.ts'

/** Jira takes 32,767 characters in a text. */
export const MAX_JIRA_TEXT = 30_000

export const toWiki = (parts: readonly Part[]): string =>
  fitParts(parts, (part) => wikiOf(part).length, MAX_JIRA_TEXT)
    .map(wikiOf)
    .join('\n\n')

function wikiOf(part: Part): string {
  switch (part.kind) {
    case 'text':
      return part.text.split(/\n+/).map(plainWiki).join('\n\n')
    case 'list':
      return [`*${plainWiki(part.title)}*`, ...part.items.map((item) => `* ${plainWiki(item)}`)].join('\n')
    case 'link':
      return `[${plainWiki(part.text)}|${part.url}]`
  }
}

/** What it reads, pictures such as `:)` and `(!)`, and a dash at the border of a word, which strikes through or begins a list. */
const READ = /[&\\{}[\]*_+^~!|#?@]|[:;](?=[()PDp])|\((?=[!+?xyi/*-]|on\)|off\))|(?<!\S)-|-(?!\S)/g

/** One line of text that stays text. */
export const plainWiki = (text: string): string =>
  text
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replaceAll(READ, (found) =>
      // Two backslashes are a line break, so that one cannot escape itself; nor is every one of these escaped by it.
      '&\\:;('.includes(found) ? `&#${found.charCodeAt(0)};` : `\\${found}`,
    )
    .replace(/^(h[1-6]|bq)\./, String.raw`$1\.`)
    .replaceAll(/\b(www|mailto)(?=[.:])/gi, '$1&#8203;')
