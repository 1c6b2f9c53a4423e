// Reads midwatch.yaml: fills in ${NAME} from the environment, checks it, and tells every problem at once,
// with the path of the key, what is wrong, and for an unknown key the nearest known one.
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { LineCounter, parseDocument, visit } from 'yaml'
import type { z } from 'zod'
import { nearest } from '../core/nearest.ts'
import { findContradictions } from './references.ts'
import { type Config, configSchema } from './schema.ts'

export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly file: string
  readonly problems: readonly string[]

  constructor(file: string, problems: readonly string[]) {
    super(
      `${file} has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems.map((p) => `  - ${p}`).join('\n')}`,
    )
    this.file = file
    this.problems = problems
  }
}

type Environment = Readonly<Record<string, string | undefined>>

/** The embedded default: what `midwatch start` runs with when there is no file. */
export const defaultConfig = (): Config => configSchema.parse({})

/** Loads a file. Relative paths in it are taken from its folder. Throws ConfigError. */
export function loadConfig(file: string, environment: Environment = process.env): Config {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError(file, [`it cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`])
  }
  const config = parseConfig(text, file, environment)
  const base = dirname(resolve(file))
  config.data = resolve(base, config.data)
  for (const provider of Object.values(config.providers)) {
    if (provider.kind === 'local') provider.path = resolve(base, provider.path)
  }
  const { files, scrape, git, kubernetes, journald, probes } = config.agent.sources
  const { email } = config.agent.notify
  if (files) files.paths = files.paths.map((path) => resolve(base, path))
  for (const repository of git?.repositories ?? []) repository.path = resolve(base, repository.path)
  if (scrape) scrape.targetFiles = scrape.targetFiles.map((path) => resolve(base, path))
  if (kubernetes?.kubeconfig !== undefined) kubernetes.kubeconfig = resolve(base, kubernetes.kubeconfig)
  if (journald) journald.files = journald.files.map((path) => resolve(base, path))
  if (journald?.directory !== undefined) journald.directory = resolve(base, journald.directory)
  for (const one of [...(probes?.targets ?? []), email])
    if (one?.caFile !== undefined) one.caFile = resolve(base, one.caFile)
  for (const { command, undo } of config.agent.actions) {
    for (const one of [command, typeof undo === 'string' ? undefined : undo.command])
      if (one?.folder !== undefined) one.folder = resolve(base, one.folder)
  }
  for (const collection of Object.values(config.rag.collections)) {
    collection.paths = collection.paths.map((path) => resolve(base, path))
  }
  return config
}

/** As loadConfig, from text. */
export function parseConfig(text: string, file: string, environment: Environment): Config {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true })
  if (document.errors.length > 0) {
    throw new ConfigError(
      file,
      document.errors.map((error) => error.message.split('\n')[0] ?? error.code),
    )
  }
  const problems: string[] = []
  // On the parsed tree, so that a value out of the environment can never change the shape of the file.
  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value !== 'string') return
      node.value = node.value.replaceAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_all, variable: string) => {
        const value = environment[variable]
        if (value === undefined) {
          const at = node.range ? ` (line ${lines.linePos(node.range[0]).line})` : ''
          problems.push(`the environment variable ${variable} is not set${at}`)
        }
        return value ?? ''
      })
    },
  })
  if (problems.length > 0) throw new ConfigError(file, problems)
  const raw: unknown = document.toJS() ?? {}
  const result = configSchema.safeParse(raw)
  const contradictions = findContradictions(raw).map(({ path, message }) => `${path.join('.')}: ${message}`)
  if (result.success && contradictions.length === 0) return result.data
  throw new ConfigError(file, [
    ...(result.error?.issues.flatMap((issue) => describeIssue(issue)) ?? []),
    ...contradictions,
  ])
}

function describeIssue(issue: z.core.$ZodIssue, within: readonly PropertyKey[] = []): string[] {
  const at = [...within, ...issue.path]
  const path = at.map(String).join('.')
  if (issue.code === 'invalid_union') {
    const meant = branchMeant(issue.errors)
    if (meant.length > 0) return meant.flatMap((one) => describeIssue(one, at))
  }
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const guess = nearest(key, knownKeys(at))
      return `${path === '' ? key : `${path}.${key}`} is not a known key${guess === undefined ? '' : `; did you mean ${guess}?`}`
    })
  }
  // Of a name the message is that a key is wrong; what about it, stands within.
  const message =
    issue.code === 'invalid_key' ? `the name ${issue.issues[0]?.message ?? 'is not right'}` : issue.message
  return [`${path === '' ? 'the file' : path}: ${message}`]
}

/**
 * Of a value that may be one of several things: what is wrong with it as the one that it is most like. That is one whose keys
 * it has, then one whose fault lies deepest. Where it has a key of none, that key is what is wrong.
 */
function branchMeant(branches: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] {
  const strange = (issues: readonly z.core.$ZodIssue[]) => issues.filter(({ code }) => code === 'unrecognized_keys')
  const cost = (issues: readonly z.core.$ZodIssue[]): number =>
    strange(issues).length * 1000 + issues.filter(({ path }) => path.length === 0).length * 100 + issues.length
  const [best = []] = branches.toSorted((a, b) => cost(a) - cost(b))
  const keys = strange(best)
  return keys.length > 0 ? keys : best
}

interface SchemaNode {
  readonly def?: {
    readonly type: string
    readonly innerType?: SchemaNode
    readonly in?: SchemaNode
    readonly valueType?: SchemaNode
    readonly element?: SchemaNode
    readonly options?: readonly SchemaNode[]
  }
  readonly shape?: Readonly<Record<string, SchemaNode>>
}

/** The keys an object at this path may have, read off the schema itself. */
function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  let node: SchemaNode | undefined = unwrap(configSchema)
  for (const step of path) {
    node = unwrap(node?.shape?.[String(step)] ?? node?.def?.valueType ?? node?.def?.element)
  }
  // One of several kinds: what any of them has.
  const kinds = node?.def?.options?.map(unwrap) ?? [node]
  return [...new Set(kinds.flatMap((kind) => Object.keys(kind?.shape ?? {})))]
}

function unwrap(node: SchemaNode | undefined): SchemaNode | undefined {
  let at = node
  while (at && !at.shape && (at.def?.innerType ?? at.def?.in)) at = at.def?.innerType ?? at.def?.in
  return at
}
