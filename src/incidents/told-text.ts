// Text that came from outside, on its way to where a client makes links and pictures of what it reads: chat, tickets, mail.
// Nothing in it may be followed with one click, fetched by a preview, or call people: what looks like Markdown, Slack's or
// Jira's markup is told as plain text, and addresses lose their scheme.
import { hidePrivate } from './investigation/model/hide.ts'
import { visibleText } from './investigation/model/screen.ts'

const MAX_TOLD = 4000

/** One text for people outside: without secrets, personal data, hidden characters, links, pictures and calls to everyone. */
export function tellPlainly(text: string): string {
  let told = hidePrivate(visibleText(text, MAX_TOLD))
  // What is taken away may leave something like it behind, as in `<<a>b>`.
  for (let before = ''; before !== told;) {
    before = told
    told = withoutMarkup(told)
  }
  return told
}

/** Every replacement makes the text shorter or breaks what it found for good, so that it comes to an end. */
const withoutMarkup = (text: string): string =>
  text
    // ![alt](address), [text](address)
    .replaceAll(/!?\[([^\]\n]*)\]\([^)\n]*\)/g, '$1')
    // <address|text>, <!channel>, <@U123>, <tag …>
    .replaceAll(
      /<[!@#/]?([^<>|\n]+)(?:\|([^<>\n]*))?>/g,
      (_, first: string, second: string | undefined) => second ?? first,
    )
    // [text|address], !picture.png!
    .replaceAll(/\[([^\]|\n]*)\|[^\]\n]*\]/g, '$1')
    .replaceAll(/!([^\s!|]+\.(?:png|gif|jpe?g|svg|webp)[^\s!]*)!/gi, '$1')
    .replaceAll(/[a-z][a-z0-9+.-]*:\/\/+/gi, '')
    .replaceAll(/\b(javascript|data|vbscript|mailto):/gi, '$1 ')
    .replaceAll(/(^|\s)@(?=(channel|here|everyone|all)\b)/gi, '$1')
