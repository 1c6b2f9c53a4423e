// Text from outside in Markdown that we write: it never becomes a heading, a link, an image or HTML, whatever it says.

/** A code span that its content cannot leave (CommonMark 6.1): more backticks around it than are in it. */
export function code(text: string): string {
  const flat = oneLine(text)
  if (flat === '') return '` `'
  const longest = Math.max(0, ...(flat.match(/`+/g) ?? []).map(({ length }) => length))
  const fence = '`'.repeat(longest + 1)
  return longest === 0 ? `${fence}${flat}${fence}` : `${fence} ${flat} ${fence}`
}

/**
 * Running text: every character that could begin a construct is escaped, and what GitHub's dialect makes a link of by
 * itself (`https://`, `www.`, an address) is broken up.
 */
export const plain = (text: string): string =>
  oneLine(text)
    .replaceAll(/[\\`*_[\]<>|~#!&@]/g, String.raw`\$&`)
    .replaceAll(/:(?=\/\/)/g, String.raw`\:`)
    .replaceAll(/\bwww\./gi, (found) => `${found.slice(0, -1)}\\.`)
    .replace(/^([-+]|\d+[.)])(?=\s)/, String.raw`\$1`)

/** A code span in a cell of a table, where a bar ends the cell even within code. */
export const cell = (text: string): string => code(text.replaceAll('|', '¦'))

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()
