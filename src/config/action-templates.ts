// What may stand in braces in the action catalogue, and the mistakes in one entry of it.
import { nearest } from '../core/nearest.ts'
import { placeholdersOf } from '../core/template.ts'

/** Filled from the incident. `run` is the idempotency key of the one request. */
const INCIDENT_PLACEHOLDERS = ['service', 'kind', 'change', 'from', 'to', 'incident', 'run'] as const

/** The ones that only a change gives a value to. */
export const CHANGE_PLACEHOLDERS: readonly string[] = ['change', 'from', 'to']

interface ActionTexts {
  readonly title: string
  readonly expected: string
  readonly undo: string
  readonly touches: string
  readonly parameters: Readonly<Record<string, string>>
  readonly request: {
    readonly url: string
    readonly headers: Readonly<Record<string, unknown>>
    readonly body: Readonly<Record<string, string>>
  }
  readonly check?: { readonly url: string } | undefined
}

export interface TemplateProblem {
  readonly path: readonly string[]
  readonly message: string
}

/** Every text of an entry with its path. */
export function actionTexts(action: ActionTexts): readonly { path: readonly string[]; text: string }[] {
  const { title, expected, undo, touches, request, check } = action
  return [
    ...Object.entries({ title, expected, undo, touches }).map(([key, text]) => ({ path: [key], text })),
    { path: ['request', 'url'], text: request.url },
    ...Object.entries(request.headers).flatMap(([key, text]) =>
      typeof text === 'string' ? [{ path: ['request', 'headers', key], text }] : [],
    ),
    ...Object.entries(request.body).map(([key, text]) => ({ path: ['request', 'body', key], text })),
    ...(check ? [{ path: ['check', 'url'], text: check.url }] : []),
  ]
}

export function templateProblems(action: ActionTexts): readonly TemplateProblem[] {
  const problems: TemplateProblem[] = []
  const known = [...INCIDENT_PLACEHOLDERS, ...Object.keys(action.parameters)]
  const unknown = (path: readonly string[], text: string, allowed: readonly string[]): void => {
    for (const name of placeholdersOf(text)) {
      if (allowed.includes(name)) continue
      const guess = nearest(name, allowed)
      problems.push({
        path,
        message: `{${name}} is not known here${guess === undefined ? `; there is ${allowed.join(', ')}` : `; did you mean {${guess}}?`}`,
      })
    }
  }
  for (const { path, text } of actionTexts(action)) unknown(path, text, known)
  for (const [key, text] of Object.entries(action.parameters)) {
    unknown(['parameters', key], text, INCIDENT_PLACEHOLDERS)
    if ((INCIDENT_PLACEHOLDERS as readonly string[]).includes(key))
      problems.push({
        path: ['parameters', key],
        message: `the incident gives {${key}} its value; choose another name`,
      })
  }
  for (const [path, url] of [
    [['request', 'url'], action.request.url],
    [['check', 'url'], action.check?.url],
  ] as const) {
    // A value out of an incident must never choose the machine that is called.
    if (url !== undefined && !/^https?:\/\/[^{}/?#\s]+([/?#]|$)/.test(url))
      problems.push({ path, message: 'must be an http:// or https:// URL whose host has nothing in braces' })
  }
  return problems
}
