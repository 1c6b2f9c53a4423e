// Words of a document as a person reads them: without the marks of Markdown, a paragraph in one line, code and lists line by line.
// What is in backticks stays so, for a command has to be told from the words around it.

const FENCE = /^\s*(?:```|~~~)/
/** Begins a line of its own. */
const ITEM = /^\s*(?:[-*+•]|\d{1,3}[.)])\s+|^\s*\|/
const RULE = /^\s*(?:[-*_=]\s*){3,}$|^\s*\|?(?:\s*:?-{2,}:?\s*\|)+\s*(?::?-{2,}:?\s*)?$/

export function plainMarkdown(text: string): string {
  const lines: string[] = []
  let open = false
  let code = false
  for (const line of text.split('\n')) {
    if (FENCE.test(line)) {
      code = !code
      open = false
      continue
    }
    if (code) {
      if (line.trim() !== '') lines.push(line.trim())
      continue
    }
    if (line.trim() === '' || RULE.test(line)) {
      open = false
      continue
    }
    const heading = /^\s*#{1,6}\s+/.exec(line)?.[0]
    const words = withoutMarks(line.slice(heading?.length ?? 0).replace(/^\s*>\s?/, '')).trim()
    if (open && heading === undefined && !ITEM.test(line)) lines[lines.length - 1] += ` ${words}`
    else if (words !== '') lines.push(words)
    // A heading is a line of its own.
    open = heading === undefined
  }
  return lines.join('\n')
}

function withoutMarks(line: string): string {
  const row = /^\s*\|(.*)\|\s*$/.exec(line)?.[1]
  return (row ?? line)
    .split(/(`[^`]*`)/)
    .map((part, i) =>
      i % 2 === 1
        ? part
        : part
            .replaceAll(/(\*\*|__)(?=\S)([^*_]+?)\1/g, '$2')
            .replaceAll(/(?<![\w*])\*(?=[^\s*])([^*]+?)\*(?![\w*])/g, '$1')
            .replaceAll(/\\([\\`*_{}[\]()#+.!|-])/g, '$1'),
    )
    .join('')
}
