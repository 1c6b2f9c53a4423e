// Text from outside, made safe to store in any database and to show: no NUL (PostgreSQL refuses it), no half of a
// surrogate pair (it cannot be written as UTF-8), and never longer than its place allows.

const CLIPPED = ' … (clipped)'

/** Everything else stays as it is: emoji, right-to-left text, line breaks. `maxLength` counts UTF-16 units. */
export function cleanText(text: string, maxLength: number): string {
  const clipped = text.length > maxLength ? text.slice(0, maxLength - CLIPPED.length) + CLIPPED : text
  return clipped.toWellFormed().replaceAll('\0', '\uFFFD')
}
