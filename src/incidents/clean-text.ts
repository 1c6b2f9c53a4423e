// Text from outside, made safe to store in any database and to show anywhere: no NUL (PostgreSQL refuses it), no half of
// a surrogate pair (it cannot be written as UTF-8), none of the characters that command a terminal, and never
// longer than its place allows.

const CLIPPED = ' … (clipped)'

/** Control characters, but for tab and line breaks. */
// oxlint-disable-next-line no-control-regex -- these are what must go
const COMMANDS = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]/g

/** Everything else stays as it is: emoji, right-to-left text, line breaks. `maxLength` counts UTF-16 units. */
export function cleanText(text: string, maxLength: number): string {
  const clipped = text.length > maxLength ? text.slice(0, maxLength - CLIPPED.length) + CLIPPED : text
  return clipped.toWellFormed().replaceAll(COMMANDS, '\uFFFD')
}
