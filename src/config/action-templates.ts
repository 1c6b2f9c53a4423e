// What may stand in braces in the action catalogue, and the mistakes in one entry of it.
import { nearest } from '../core/nearest.ts'
import { placeholdersOf } from '../core/template.ts'

/** Filled from the incident. `run` is the key of the one run. */
const INCIDENT_PLACEHOLDERS = ['service', 'kind', 'change', 'from', 'to', 'incident', 'run'] as const

/** The ones that only a change gives a value to. */
export const CHANGE_PLACEHOLDERS: readonly string[] = ['change', 'from', 'to']

interface RequestTexts {
  readonly url: string
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: Readonly<Record<string, string>>
}

interface CommandTexts {
  readonly argv: readonly string[]
}

type PreconditionTexts =
  | {
      readonly kind: 'http'
      readonly says: string
      readonly url: string
      readonly headers: Readonly<Record<string, unknown>>
      readonly equals?: string | undefined
    }
  | { readonly kind: 'promql'; readonly says: string; readonly query: string }

interface UndoTexts {
  readonly text: string
  readonly parameters: Readonly<Record<string, string>>
  readonly request?: RequestTexts | undefined
  readonly command?: CommandTexts | undefined
}

type ParameterText = string | { readonly value?: string | undefined }

interface ActionTexts {
  readonly title: string
  readonly expected: string
  readonly undo: string | UndoTexts
  readonly touches: string
  readonly parameters: Readonly<Record<string, ParameterText>>
  readonly preconditions: readonly PreconditionTexts[]
  readonly request?: RequestTexts | undefined
  readonly command?: CommandTexts | undefined
  readonly check?: { readonly url: string } | CommandTexts | undefined
  readonly dryRun?: RequestTexts | CommandTexts | undefined
  readonly verify?: { readonly query: string } | undefined
}

export interface TemplateProblem {
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** A text of an entry: where it stands, and what becomes of it. */
interface PlacedText {
  readonly path: readonly (string | number)[]
  readonly text: string
  readonly as: 'words' | 'address' | 'program'
}

const words = (path: readonly (string | number)[], text: string): PlacedText => ({ path, text, as: 'words' })

const inHeaders = (path: readonly (string | number)[], headers: Readonly<Record<string, unknown>>): PlacedText[] =>
  Object.entries(headers).flatMap(([key, text]) => (typeof text === 'string' ? [words([...path, key], text)] : []))

const inRequest = (path: readonly (string | number)[], request: RequestTexts): PlacedText[] => [
  { path: [...path, 'url'], text: request.url, as: 'address' },
  ...inHeaders([...path, 'headers'], request.headers),
  ...Object.entries(request.body).map(([key, text]) => words([...path, 'body', key], text)),
]

const inCommand = (path: readonly (string | number)[], { argv }: CommandTexts): PlacedText[] =>
  argv.map((text, i) => ({ path: [...path, 'argv', i], text, as: i === 0 ? 'program' : 'words' }))

const inEither = (path: readonly (string | number)[], either: RequestTexts | CommandTexts): PlacedText[] =>
  'argv' in either ? inCommand(path, either) : inRequest(path, either)

function inPrecondition(path: readonly (string | number)[], one: PreconditionTexts): PlacedText[] {
  if (one.kind === 'promql') return [words([...path, 'says'], one.says), words([...path, 'query'], one.query)]
  return [
    words([...path, 'says'], one.says),
    { path: [...path, 'url'], text: one.url, as: 'address' },
    ...inHeaders([...path, 'headers'], one.headers),
    ...(one.equals === undefined ? [] : [words([...path, 'equals'], one.equals)]),
  ]
}

/** Every text of an entry that is filled when it is carried out, but those of its undo. */
export function actionTexts(action: ActionTexts): readonly PlacedText[] {
  const { title, expected, undo, touches, request, command, check, dryRun, verify, preconditions } = action
  return [
    ...Object.entries({ title, expected, touches }).map(([key, text]) => words([key], text)),
    words(typeof undo === 'string' ? ['undo'] : ['undo', 'text'], typeof undo === 'string' ? undo : undo.text),
    ...(request ? inRequest(['request'], request) : []),
    ...(command ? inCommand(['command'], command) : []),
    ...(check
      ? 'url' in check
        ? inRequest(['check'], { url: check.url, headers: {}, body: {} })
        : inCommand(['check'], check)
      : []),
    ...(dryRun ? inEither(['dryRun'], dryRun) : []),
    ...(verify ? [words(['verify', 'query'], verify.query)] : []),
    ...preconditions.flatMap((one, i) => inPrecondition(['preconditions', i], one)),
  ]
}

function undoTexts({ undo }: ActionTexts): readonly PlacedText[] {
  if (typeof undo === 'string') return []
  return [
    ...Object.entries(undo.parameters).map(([key, text]) => words(['undo', 'parameters', key], text)),
    ...(undo.request ? inRequest(['undo', 'request'], undo.request) : []),
    ...(undo.command ? inCommand(['undo', 'command'], undo.command) : []),
  ]
}

/** The text that a parameter gets its value from, or undefined where only a person gives it one. */
export const parameterText = (parameter: ParameterText): string | undefined =>
  typeof parameter === 'string' ? parameter : parameter.value

export function templateProblems(action: ActionTexts): readonly TemplateProblem[] {
  const problems: TemplateProblem[] = []
  const known = [...INCIDENT_PLACEHOLDERS, ...Object.keys(action.parameters)]
  const unknown = (path: readonly (string | number)[], text: string, allowed: readonly string[]): void => {
    for (const name of placeholdersOf(text)) {
      if (allowed.includes(name)) continue
      const guess = nearest(name, allowed)
      problems.push({
        path,
        message: `{${name}} is not known here${guess === undefined ? `; there is ${allowed.join(', ')}` : `; did you mean {${guess}}?`}`,
      })
    }
  }
  for (const { path, text, as } of [...actionTexts(action), ...undoTexts(action)]) {
    unknown(path, text, known)
    // A value out of an incident must never choose the machine that is called, or the program that is started.
    if (as === 'address' && !/^https?:\/\/[^{}/?#\s]+([/?#]|$)/.test(text))
      problems.push({ path, message: 'must be an http:// or https:// URL whose host has nothing in braces' })
    if (as === 'program' && (placeholdersOf(text).length > 0 || text === ''))
      problems.push({ path, message: 'must be the name of a program, with nothing in braces' })
  }
  for (const [key, parameter] of Object.entries(action.parameters)) {
    const text = parameterText(parameter)
    if (text !== undefined) unknown(['parameters', key], text, INCIDENT_PLACEHOLDERS)
    if ((INCIDENT_PLACEHOLDERS as readonly string[]).includes(key))
      problems.push({
        path: ['parameters', key],
        message: `the incident gives {${key}} its value; choose another name`,
      })
  }
  return problems
}
