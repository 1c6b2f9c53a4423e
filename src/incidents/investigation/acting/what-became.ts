// Asks the other side what became of a run, by the catalogue's `check`.
import type { Actions } from '../../../actions/actions.ts'
import type { ActionConfig } from '../../../config/action-schema.ts'
import { checkFor } from './request.ts'

export interface Became {
  readonly state: 'done' | 'failed' | 'uncertain'
  readonly detail: string
}

/** undefined when the other side says that it never arrived. */
export async function whatBecameOf(
  actions: Pick<Actions, 'check'>,
  entry: ActionConfig,
  parameters: Readonly<Record<string, string>>,
  key: string,
  signal: AbortSignal,
): Promise<Became | undefined> {
  const check = checkFor(entry, parameters, key)
  if (check === undefined)
    return { state: 'uncertain', detail: 'it may have been carried out, and the catalogue names no way to check' }
  const found = await actions.check(check, signal)
  switch (found.kind) {
    case 'done': {
      return { state: 'done', detail: 'the other side confirms it' }
    }
    case 'never': {
      return undefined
    }
    case 'unclear': {
      return { state: 'uncertain', detail: `it may have been carried out; ${found.detail}` }
    }
  }
}
