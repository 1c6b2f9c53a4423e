// The words of a heading without its markup, for the path above a passage.

/** Of one heading, with or without its marks. */
export function wordsOfInline(markup: string): string {
  return markup
    .slice(0, 1000)
    .replace(/^[\s>]*#{1,6}(?=\s|$)/, '')
    .replace(/\n[\s>]*(?:=+|-+)\s*$/, '')
    .replace(/\s#+\s*$/, '')
    .replaceAll(/\{#[\w-]+\}|\{:[^}]*\}|\{\{[<%][^}]*\}\}/g, '')
    .replaceAll(/!\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])/g, '$1')
    .replaceAll(/<\/?[a-zA-Z][^>]*>/g, '')
    .replaceAll(/\*\*|__|~~|`+/g, '')
    .replaceAll(/(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)/g, '')
    .replaceAll(/\\([\\`*_{}[\]()#+\-.!|<>])/g, '$1')
    .replaceAll(/\s+/g, ' ')
    .trim()
}
