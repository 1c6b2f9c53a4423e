// Who may import whom (the table in ARCHITECTURE.md), checked over every source file. dependency-cruiser's default
// parser reads nothing beside this TypeScript version and is content; so a count of modules that is too low fails.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { cruise, type ICruiseResult } from 'dependency-cruiser'

const root = join(import.meta.dirname, '..')

/** Folder of src → the other folders of src it may import. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  llm: ['core'],
  db: ['core', 'observe'],
  observe: ['core'],
  config: ['core'],
  providers: ['core', 'llm'],
  sources: ['core', 'llm', 'observe'],
  actions: ['core', 'llm', 'observe'],
  access: ['core', 'db', 'observe'],
  gateway: ['core', 'llm', 'db', 'observe', 'config', 'providers'],
  diagnosis: ['core'],
  incidents: ['core', 'llm', 'db', 'observe', 'config', 'diagnosis', 'actions'],
  capacity: ['core', 'observe'],
  http: ['core', 'llm', 'observe', 'config', 'db', 'access', 'gateway', 'incidents', 'diagnosis', 'capacity'],
  cli: ['core', 'llm', 'observe', 'config', 'db', 'access', 'gateway', 'incidents', 'diagnosis', 'sources', 'capacity'],
}

const forbidden = [
  ...Object.entries(MAY_IMPORT).map(([folder, allowed]) => ({
    name: `${folder} imports only ${allowed.join(', ') || 'nothing of ours'}`,
    severity: 'error' as const,
    from: { path: `^src/${folder}/`, pathNot: '\\.test\\.ts$|/testing/' },
    to: { path: '^src/', pathNot: `^src/(${[folder, ...allowed].join('|')})/` },
  })),
  {
    name: 'a provider never imports another',
    severity: 'error' as const,
    from: { path: '^src/providers/([^/]+)/' },
    to: { path: '^src/providers/[^/]+/', pathNot: '^src/providers/$1/' },
  },
  {
    name: 'the page takes only types and pure views from the server',
    severity: 'error' as const,
    from: { path: '^web/', pathNot: '\\.test\\.tsx?$|/testing/' },
    to: { path: '^src/', pathNot: '^src/(core|diagnosis|incidents/(report|view)\\.ts)' },
  },
  {
    name: 'no import goes in a circle',
    severity: 'error' as const,
    from: {},
    to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
  },
  {
    name: 'what ships imports no development dependency',
    severity: 'error' as const,
    from: { path: '^src/', pathNot: '\\.test\\.ts$|/testing/' },
    to: { dependencyTypes: ['npm-dev' as const], pathNot: 'node_modules/(vite|@types)/' },
  },
]

/** The violations, one line each, and how many modules were read. */
export async function checkBoundaries(roots: readonly string[]): Promise<{ violations: string[]; modules: number }> {
  const { output } = await cruise(
    [...roots],
    {
      baseDir: root,
      ruleSet: { forbidden },
      validate: true,
      doNotFollow: { path: 'node_modules' },
      exclude: { path: 'web/dist' },
      tsPreCompilationDeps: true,
      parser: 'swc',
    },
    { extensions: ['.ts', '.tsx'] },
  )
  const { summary } = output as ICruiseResult
  return {
    violations: summary.violations.map(({ rule, from, to }) => `${from} → ${to}: ${rule.name}`),
    modules: summary.totalCruised,
  }
}

function countSources(folder: string): number {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter(
    (name) => /\.tsx?$/.test(name) && !/(^|\/)(node_modules|dist)\//.test(name),
  ).length
}

if (import.meta.main) {
  const roots = ['src', 'web', 'lab', 'bench']
  const { violations, modules } = await checkBoundaries(roots)
  const expected = roots.reduce((sum, folder) => sum + countSources(folder), 0)
  for (const violation of violations) console.error(violation)
  if (modules < expected) {
    console.error(`Only ${modules} modules were read of ${expected} source files: the check cannot be trusted.`)
    process.exit(1)
  }
  process.exit(violations.length > 0 ? 1 : 0)
}
