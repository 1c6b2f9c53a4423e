// Who may import whom: the table of ARCHITECTURE.md, checked over every source file. (dependency-cruiser, which one
// would take for this, reads nothing beside this version of TypeScript and is content; with its other parser it cannot
// read TSX.) A file that cannot be parsed, or an import that leads nowhere, fails the check instead of passing it.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { type ModuleItem, parseSync } from '@swc/core'

const ROOT = join(import.meta.dirname, '..')
const ROOTS = ['src', 'web', 'lab', 'bench', 'evals', 'test'] as const

/** Folder of src → the other folders of src it may import. Files directly in src may import everything. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  llm: ['core'],
  observe: ['core'],
  config: ['core'],
  db: ['core', 'observe'],
  dialects: ['core', 'llm'],
  providers: ['core', 'llm', 'dialects', 'config'],
  sources: ['core', 'llm'],
  actions: ['core', 'llm', 'config'],
  access: ['core', 'db', 'observe'],
  audit: ['core', 'db'],
  privacy: ['core', 'llm', 'db', 'observe'],
  gateway: ['core', 'llm', 'db', 'observe', 'config', 'dialects', 'providers', 'privacy'],
  rag: ['core', 'llm', 'db', 'observe', 'config'],
  diagnosis: ['core'],
  incidents: ['core', 'llm', 'db', 'observe', 'config', 'audit', 'privacy', 'diagnosis', 'actions'],
  http: ['core', 'llm', 'db', 'observe', 'dialects', 'access', 'audit', 'gateway', 'rag', 'incidents', 'mcp'],
  mcp: ['core', 'llm', 'db', 'observe', 'diagnosis', 'incidents'],
  cli: [
    'core',
    'db',
    'observe',
    'config',
    'access',
    'audit',
    'diagnosis',
    'incidents',
    'sources',
    'privacy',
    'rag',
    'app.ts',
    'database.ts',
    'embedding-model.ts',
    'sources-of-config.ts',
  ],
}

/** What stands beside src takes from it only this. */
const BESIDE: Readonly<Record<string, RegExp>> = {
  web: /^src\/(core|diagnosis|incidents\/(report|view|memory\/(past|say-past))\.ts)/,
  lab: /^src\//,
  bench: /^src\//,
  evals: /^src\//,
  test: /^/,
}

interface Import {
  readonly from: string
  readonly to: string
  readonly typeOnly: boolean
}

/** What is wrong, one line each, and how many files were read. */
export function checkBoundaries(root: string): { violations: readonly string[]; files: number } {
  const files = ROOTS.flatMap((folder) => sourcesIn(root, folder))
  const imports = files.flatMap((file) => importsOf(root, file))
  const violations = imports.flatMap((one) => {
    if (!existsSync(join(root, one.to))) return [`${one.from} imports ${one.to}, which is not there`]
    const why = isTest(one.from) ? undefined : forbidden(one)
    return why === undefined ? [] : [`${one.from} imports ${one.to}: ${why}`]
  })
  return { violations: [...violations, ...circles(imports.filter((one) => !one.typeOnly))], files: files.length }
}

const isTest = (file: string): boolean => /\.test\.tsx?$|\/testing\//.test(file)

function sourcesIn(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !name.endsWith('.d.ts') && !/(^|\/)(node_modules|dist)\//.test(name))
    .map((name) => join(folder, name))
}

function importsOf(root: string, file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8')
  const { body } = parseSync(text, { syntax: 'typescript', tsx: file.endsWith('.tsx'), target: 'es2022' })
  const statics = body.flatMap((item) => {
    const source = sourceOf(item)
    return source === undefined ? [] : [{ to: source.value, typeOnly: source.typeOnly }]
  })
  // Tests quote imports as text; what they really import is above.
  const dynamic = (isTest(file) ? [] : [...text.matchAll(/\bimport\(\s*'([^']+)'/g)]).map((match) => ({
    to: match[1] ?? '',
    typeOnly: false,
  }))
  return [...statics, ...dynamic]
    .filter(({ to }) => to.startsWith('.') && !to.endsWith('.css'))
    .map(({ to, typeOnly }) => ({ from: file, to: relative(root, join(root, dirname(file), to)), typeOnly }))
}

function sourceOf(item: ModuleItem): { value: string; typeOnly: boolean } | undefined {
  if (item.type === 'ImportDeclaration') return { value: item.source.value, typeOnly: item.typeOnly }
  if (item.type === 'ExportAllDeclaration') return { value: item.source.value, typeOnly: false }
  if (item.type === 'ExportNamedDeclaration' && item.source)
    return { value: item.source.value, typeOnly: item.typeOnly }
  return undefined
}

function forbidden({ from, to }: Import): string | undefined {
  const [place = '', folder = ''] = from.split('/')
  if (place !== 'src')
    return to.startsWith('src/') && !BESIDE[place]?.test(to) ? `${place}/ may not take this from src/` : undefined
  if (!to.startsWith('src/')) return 'src/ imports nothing from beside it'
  const target = to.split('/')[1] ?? ''
  if (from.split('/').length === 2 || target === folder) return sibling(from, to)
  const allowed = MAY_IMPORT[folder]
  if (!allowed) return `src/${folder}/ is not in the table of test/boundaries.ts`
  return allowed.includes(target) ? undefined : `${folder}/ may import only ${allowed.join(', ') || 'nothing of ours'}`
}

/** What several sources are made with, in folders of their own. */
const SHARED: ReadonlySet<string> = new Set(['sources/sampling', 'sources/traces'])

/** Adapters of one kind stand side by side and never lean on each other. */
function sibling(from: string, to: string): string | undefined {
  const [, kind = '', mine, rest] = from.split('/')
  const [, , theirs, deeper] = to.split('/')
  const adapters = ['providers', 'sources', 'actions'].includes(kind) && rest !== undefined && deeper !== undefined
  const apart = mine !== theirs && !SHARED.has(`${kind}/${theirs ?? ''}`)
  return adapters && apart ? `one of ${kind}/ may not import another` : undefined
}

/** Imports that go in a circle, each circle told once. */
function circles(imports: readonly Import[]): string[] {
  const next = new Map<string, string[]>()
  for (const { from, to } of imports) next.set(from, [...(next.get(from) ?? []), to])
  const found: string[] = []
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): void => {
    const at = path.indexOf(file)
    if (at >= 0) found.push(`imports go in a circle: ${[...path.slice(at), file].join(' → ')}`)
    if (at >= 0 || done.has(file)) return
    for (const to of next.get(file) ?? []) visit(to, [...path, file])
    done.add(file)
  }
  for (const file of next.keys()) visit(file, [])
  return found
}

if (import.meta.main) {
  const { violations, files } = checkBoundaries(ROOT)
  for (const violation of violations) console.error(violation)
  if (files < 100) console.error(`Only ${files} source files were found: the check cannot be trusted.`)
  process.exit(violations.length > 0 || files < 100 ? 1 : 0)
}
