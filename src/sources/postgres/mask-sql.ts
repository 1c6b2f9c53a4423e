// A statement as people may read it: without its values, which may be anybody's data, and without comments. A statement may end
// anywhere, as PostgreSQL keeps only its beginning.

const PARTS =
  /"(?:[^"]|"")*(?:"|$)|[eE]'(?:[^'\\]|\\[\s\S]|'')*(?:'|\\?$)|'(?:[^']|'')*(?:'|$)|\$([A-Za-z_][A-Za-z0-9_]*)?\$[\s\S]*?(?:\$\1\$|$)|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|(?<![A-Za-z0-9_$])\d[\d.]*(?:[eE][+-]?\d+)?/g

export function maskSql(sql: string): string {
  return sql
    .replaceAll(PARTS, (part) => (part.startsWith('"') ? part : /^(--|\/\*)/.test(part) ? ' ' : '?'))
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, 300)
}
