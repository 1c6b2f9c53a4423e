// Which files of a folder are documents. Without a word from the user, those that people write for people to read;
// `include` takes others (as plain text), `exclude` leaves some out. Patterns are globs over the path relative to the
// folder; one without a slash stands for the name at any depth, one that matches a folder for all that is in it.
import { posix } from 'node:path'

export interface FileChoice {
  readonly include: readonly string[]
  readonly exclude: readonly string[]
}

const DOCUMENTS =
  /\.(?:md|markdown|mdx|mdown|txt|text|rst|adoc|asciidoc|html?|xhtml|pdf|docx)$|(?:^|\/)(?:README|RUNBOOK)$/i

/** Never entered: what tools made, not people. */
const TOOLS = new Set(['node_modules', 'bower_components', '__pycache__', '__MACOSX'])

/** Whether the file at `path` (relative, forward slashes) is a document. */
export function isChosen(path: string, { include, exclude }: FileChoice): boolean {
  if (exclude.some((pattern) => matches(path, pattern))) return false
  return include.length === 0 ? DOCUMENTS.test(path) : include.some((pattern) => matches(path, pattern))
}

/** Whether a folder need not be looked into. Hidden ones (.git, .venv) never are. */
export function isPassedOver(path: string, { exclude }: FileChoice): boolean {
  const name = posix.basename(path)
  return name.startsWith('.') || TOOLS.has(name) || exclude.some((pattern) => matches(path, pattern))
}

function matches(path: string, pattern: string): boolean {
  const clean = pattern.replace(/^\.\//, '').replace(/^\/|\/$/g, '')
  const anywhere = clean.includes('/') ? clean : `**/${clean}`
  return posix.matchesGlob(path, anywhere) || posix.matchesGlob(path, `${anywhere}/**`)
}
