// Fills an entry of the catalogue with the values of an incident: the proposal word for word, with its risk, its undo and
// the fingerprint of what would be sent. Only names that are known, values of recorded changes, and typed parameters get in.
import { actionTexts, CHANGE_PLACEHOLDERS, parameterText } from '../../../config/action-templates.ts'
import type { ActionConfig } from '../../../config/action-schema.ts'
import type { Change, Edge } from '../../../core/telemetry.ts'
import { fillTemplate, placeholdersOf } from '../../../core/template.ts'
import { whyUnsendable } from '../../../actions/http/action.ts'
import type { ProposedAction } from '../../report.ts'
import { weighRisk } from '../risk.ts'
import { type ActionRecord, NO_RECORD } from './record.ts'
import { checkFor, fingerprintOf, findEntry, findUnfit, requestFor, undoEntryOf } from './request.ts'

export interface FillInput {
  readonly catalogue: readonly ActionConfig[]
  readonly service: string
  /** The kind of the cause; empty where there is none. */
  readonly kind: string
  readonly confidence: number | null
  readonly effect: string
  readonly incidentNumber: number
  readonly change: Change | undefined
  readonly topology: readonly Edge[]
  readonly hour?: string | undefined
  /** By the catalogue's name. */
  readonly records: ReadonlyMap<string, ActionRecord>
  /** What a person gave for parameters that have a type. */
  readonly given?: Readonly<Record<string, string>>
}

export type Filled =
  | { readonly kind: 'proposed'; readonly action: ProposedAction }
  | { readonly kind: 'none'; readonly reason: string }

export function fillAction(entry: ActionConfig, input: FillInput): Filled {
  try {
    return fill(entry, input)
  } catch (error) {
    // A value that must not stand where it would: `fillTemplate` and the like say which.
    if (error instanceof RangeError) return { kind: 'none', reason: error.message }
    throw error
  }
}

function fill(entry: ActionConfig, input: FillInput): Filled {
  const { service, kind, change, effect } = input
  const no = (reason: string): Filled => ({ kind: 'none', reason })
  const parameterTexts = Object.values(entry.parameters).flatMap((one) => parameterText(one) ?? [])
  const wanted = new Set([...actionTexts(entry).map(({ text }) => text), ...parameterTexts].flatMap(placeholdersOf))
  if (entry.does === 'roll-back' && !change) return no(`no change of ${service} is known shortly before it began`)
  const lacking = CHANGE_PLACEHOLDERS.find(
    (name) => wanted.has(name) && { change: change?.id, from: change?.from, to: change?.to }[name] === undefined,
  )
  if (lacking !== undefined) return no(`the change does not say what {${lacking}} is`)
  const values: Record<string, string> = {
    service,
    kind,
    incident: String(input.incidentNumber),
    ...(change === undefined ? {} : { change: change.id }),
    ...(change?.from === undefined ? {} : { from: change.from }),
    ...(change?.to === undefined ? {} : { to: change.to }),
  }
  if (kind === '') delete values['kind']
  const own = ownParameters(entry, values, input.given ?? {})
  if (own.kind === 'none') return own
  const parameters = { ...values, ...own.values }
  const unfit = findUnfit(entry, parameters)
  if (unfit !== undefined) return no(unfit)
  const request = requestFor(entry, parameters, '')
  const unsendable = request.kind === 'http' ? whyUnsendable(request.url, request.headers) : undefined
  if (unsendable !== undefined) return no(unsendable)
  // These are filled when they are asked or sent; that they can be is found out now.
  checkFor(entry, parameters, '')
  const shown = { ...parameters, run: '' }
  for (const { text } of actionTexts(entry)) fillTemplate(text, shown)
  const record = input.records.get(entry.name) ?? NO_RECORD
  const { confidence, topology, hour } = input
  const { risk, reasons, callers } = weighRisk({ base: entry.risk, service, topology, confidence, hour, record })
  const undoWith = fillUndo(entry, parameters, input)
  return {
    kind: 'proposed',
    action: {
      name: entry.name,
      does: entry.does,
      service,
      parameters,
      title: fillTemplate(entry.title, shown),
      expected: fillTemplate(entry.expected, shown),
      undo: fillTemplate(typeof entry.undo === 'string' ? entry.undo : entry.undo.text, shown),
      touches: fillTemplate(entry.touches, shown),
      risk,
      riskReasons: [...reasons],
      ifNothing: effect === '' ? 'It goes on as it is.' : `It goes on as it is: ${effect}.`,
      callers: [...callers],
      ...(kind === '' ? {} : { cause: { service, kind } }),
      fingerprint: fingerprintOf(request),
      ...(undoWith === undefined ? {} : { undoWith }),
    },
  }
}

type OwnParameters =
  | Extract<Filled, { kind: 'none' }>
  | { readonly kind: 'given'; readonly values: Record<string, string> }

/** The catalogue's own values, and what was given in place of those that have a type. */
function ownParameters(
  entry: ActionConfig,
  values: Readonly<Record<string, string>>,
  given: Readonly<Record<string, string>>,
): OwnParameters {
  const stranger = Object.keys(given).find((key) => {
    const parameter = entry.parameters[key]
    return parameter === undefined || typeof parameter === 'string'
  })
  if (stranger !== undefined)
    return { kind: 'none', reason: `${entry.name} has no parameter ${stranger} that can be chosen` }
  // `run` is the key of the one run and exists only once it is sent.
  const forParameters = { ...values, run: '' }
  const own: Record<string, string> = {}
  for (const [key, parameter] of Object.entries(entry.parameters)) {
    const text = parameterText(parameter)
    const value = given[key] ?? (text === undefined ? undefined : fillTemplate(text, forParameters))
    if (value === undefined) return { kind: 'none', reason: `{${key}} has to be given by a person` }
    own[key] = value
  }
  return { kind: 'given', values: own }
}

/** What would take it back, filled now, so that who approves the action sees it too. Undefined where it is words alone. */
function fillUndo(
  entry: ActionConfig,
  parameters: Readonly<Record<string, string>>,
  input: FillInput,
): ProposedAction['undoWith'] {
  const { undo } = entry
  if (typeof undo === 'string') return undefined
  const shown = { ...parameters, run: '' }
  const own = undoEntryOf(entry)
  const by = own ?? (undo.action === undefined ? undefined : findEntry(input.catalogue, undo.action))
  if (!by) return undefined
  const values = own ? parameters : undoValues(by, undo.parameters, parameters)
  if (findUnfit(by, values) !== undefined || !isFillable(by, values)) return undefined
  const title = own ? undo.text : by.title
  return {
    name: by.name,
    does: by.does,
    parameters: values,
    title: fillTemplate(title, own ? shown : { ...values, run: '' }),
    fingerprint: fingerprintOf(requestFor(by, values, '')),
  }
}

/** Whether every text of an entry has its values: those of a person's wish have no `kind`. */
function isFillable(entry: ActionConfig, values: Readonly<Record<string, string>>): boolean {
  const known = new Set([...Object.keys(values), 'run'])
  return actionTexts(entry).every(({ text }) => placeholdersOf(text).every((name) => known.has(name)))
}

function undoValues(
  by: ActionConfig,
  wanted: Readonly<Record<string, string>>,
  parameters: Readonly<Record<string, string>>,
): Record<string, string> {
  const shown = { ...parameters, run: '' }
  const { service = '', incident = '', ...rest } = parameters
  const incidentValues = Object.fromEntries(
    Object.entries({ service, incident, ...rest }).filter(([key]) =>
      ['service', 'incident', 'kind', ...CHANGE_PLACEHOLDERS].includes(key),
    ),
  )
  const own = Object.entries(by.parameters).flatMap(([key, parameter]) => {
    const text = wanted[key] ?? parameterText(parameter)
    return text === undefined
      ? []
      : [[key, fillTemplate(text, wanted[key] === undefined ? { ...incidentValues, run: '' } : shown)] as const]
  })
  return { ...incidentValues, ...Object.fromEntries(own) }
}
