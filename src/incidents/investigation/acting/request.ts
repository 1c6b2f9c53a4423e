// From an entry of the catalogue and its values to the one request or command that runs, and the proof that what runs is
// what was approved: a fingerprint over all that is sent.
import type { ActionConfig, CommandConfig, RequestConfig } from '../../../config/action-schema.ts'
import type { ActionRequest, CheckRequest } from '../../../actions/actions.ts'
import { canonicalJson, sha256Hex } from '../../../core/hash.ts'
import { Secret } from '../../../core/secret.ts'
import { fillTemplate } from '../../../core/template.ts'
import type { ProposedAction } from '../../report.ts'
import { whyHarmful, whyUnfit } from './parameters.ts'

type Values = Readonly<Record<string, string>>

/** The one request or command of an entry. Headers keep their secrets until it is sent. Throws RangeError for an unknown name. */
export function requestFor(entry: ActionConfig, parameters: Values, key: string): ActionRequest {
  const values = { ...parameters, run: key }
  if (entry.request) return fillRequest(entry.request, values, key)
  if (entry.command) return fillCommand(entry.command, entry.command.argv, values, key)
  throw new RangeError(`${entry.name} has neither a request nor a command`)
}

function fillRequest(
  { method, url, headers, body, timeoutMs }: RequestConfig,
  values: Values,
  key: string,
): ActionRequest {
  return {
    kind: 'http',
    method,
    url: fillTemplate(url, values, encodeURIComponent),
    headers: fillHeaders(headers, values),
    body: mapValues(body, (text) => fillTemplate(text, values)),
    timeoutMs,
    key,
  }
}

/** With the secrets in them, as they are sent. */
export const fillHeaders = (headers: RequestConfig['headers'], values: Values): Record<string, string> =>
  mapValues(headers, (text) => (text instanceof Secret ? text.reveal() : fillTemplate(text, values)))

const fillCommand = (command: CommandConfig, argv: readonly string[], values: Values, key: string): ActionRequest => ({
  kind: 'command',
  argv: argv.map((text) => fillTemplate(text, values, notAnOption)),
  env: command.env,
  folder: command.folder,
  timeoutMs: command.timeoutMs,
  refusedExitCodes: command.refusedExitCodes,
  key,
})

/** A program takes an argument that begins with a dash for an option: none comes out of an incident. */
function notAnOption(value: string): string {
  if (value.startsWith('-')) throw new RangeError('a value that begins with "-" could be taken for an option')
  return value
}

/** How to ask whether a run was carried out, or undefined when the entry has no way. Throws RangeError for an unknown name. */
export function checkFor(entry: ActionConfig, parameters: Values, key: string): CheckRequest | undefined {
  const { check } = entry
  if (!check) return undefined
  const values = { ...parameters, run: key }
  if ('argv' in check) {
    const filled = fillCommand(entry.command ?? BARE_COMMAND, check.argv, values, key)
    return filled.kind === 'command' ? filled : undefined
  }
  const headers = entry.request ? fillRequest(entry.request, values, key) : undefined
  return {
    kind: 'http',
    url: fillTemplate(check.url, values, encodeURIComponent),
    headers: headers?.kind === 'http' ? headers.headers : {},
  }
}

/** The request or command that tries an action out without an effect, or undefined. */
export function dryRunFor(entry: ActionConfig, parameters: Values, key: string): ActionRequest | undefined {
  const { dryRun } = entry
  if (!dryRun) return undefined
  const values = { ...parameters, run: key }
  if ('argv' in dryRun) return fillCommand(entry.command ?? BARE_COMMAND, dryRun.argv, values, key)
  const headers = { ...entry.request?.headers, ...dryRun.headers }
  return fillRequest({ ...dryRun, headers }, values, key)
}

const BARE_COMMAND: CommandConfig = { argv: [], env: [], timeoutMs: 10_000, refusedExitCodes: [] }

/** Everything about a request but its key: where it goes, what it says, and as whom. Secrets go into the hash alone. */
export function fingerprintOf(request: ActionRequest): string {
  if (request.kind === 'command') {
    const { argv, env, folder = null, refusedExitCodes } = request
    return short({ argv, env, folder, refusedExitCodes })
  }
  const { method, url, headers, body } = request
  return short({ method, url, headers: mapValues(headers, sha256Hex), body })
}

const short = (value: unknown): string => sha256Hex(canonicalJson(value)).slice(0, 32)

/** The name of the entry that takes another one back by a request or command of its own. */
const UNDO = '/undo'

/** An entry by its name; that of an undo is made of the entry it belongs to. */
export function findEntry(catalogue: readonly ActionConfig[], name: string): ActionConfig | undefined {
  const own = catalogue.find((entry) => entry.name === name)
  if (own || !name.endsWith(UNDO)) return own
  const of = catalogue.find((entry) => entry.name === name.slice(0, -UNDO.length))
  return of && undoEntryOf(of)
}

/** The entry by which an entry is taken back with a request or command of its own, or undefined. */
export function undoEntryOf(entry: ActionConfig): ActionConfig | undefined {
  const { undo, name } = entry
  if (typeof undo === 'string' || (undo.request === undefined && undo.command === undefined)) return undefined
  return {
    ...entry,
    name: `${name}${UNDO}`,
    fits: [],
    title: undo.text,
    undo: `Do it again: ${entry.title}`,
    request: undo.request,
    command: undo.command,
    preconditions: [],
    dryRun: undefined,
    verify: undefined,
    cooldownSeconds: 0,
  }
}

export type Approved =
  | { readonly kind: 'same'; readonly entry: ActionConfig }
  | { readonly kind: 'differs'; readonly reason: string }

/** The entry that an action was made from, when it would still send what was approved; else why not. */
export function findApproved(
  catalogue: readonly ActionConfig[],
  { name, parameters, fingerprint }: Pick<ProposedAction, 'name' | 'parameters' | 'fingerprint'>,
): Approved {
  const entry = findEntry(catalogue, name)
  if (!entry) return { kind: 'differs', reason: 'is no longer in the catalogue' }
  if (fingerprint === undefined) return { kind: 'differs', reason: 'cannot be compared with what was approved' }
  const changed: Approved = { kind: 'differs', reason: 'was changed since it was approved' }
  try {
    checkFor(entry, parameters, '')
    if (fingerprintOf(requestFor(entry, parameters, '')) !== fingerprint) return changed
  } catch (error) {
    // A text that asks for a value which the approved one did not need.
    if (error instanceof RangeError) return changed
    throw error
  }
  const unfit = findUnfit(entry, parameters)
  return unfit === undefined ? { kind: 'same', entry } : { kind: 'differs', reason: `is no longer allowed: ${unfit}` }
}

/** Why the values of an action do not fit the entry, or undefined. */
export function findUnfit(entry: ActionConfig, parameters: Values): string | undefined {
  for (const [key, value] of Object.entries(parameters)) {
    const parameter = entry.parameters[key]
    const bad = whyHarmful(value) ?? (parameter && whyUnfit(parameter, value))
    if (bad !== undefined) return `the value of {${key}} ${bad}`
  }
  const lacking = Object.keys(entry.parameters).find((key) => parameters[key] === undefined)
  return lacking === undefined ? undefined : `{${lacking}} has no value`
}

const mapValues = <T>(record: Readonly<Record<string, T>>, map: (value: T) => string): Record<string, string> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))
