// Everything by which the agent reaches out for an action: it sends one, asks what became of one, and looks at an address
// before it does either. Requests and commands are alike to whoever carries them out.
import type { ActionAnswer, ActionCheck } from './answer.ts'
import { checkCommand, type CommandRequest, runCommand } from './command/command.ts'
import { createHttpActions, type HttpActionRequest } from './http/action.ts'
import { type Look, lookAt, type LookRequest } from './http/look.ts'

export type ActionRequest = HttpActionRequest | CommandRequest

/** How to ask what became of an earlier run. */
export type CheckRequest =
  | { readonly kind: 'http'; readonly url: string; readonly headers: Readonly<Record<string, string>> }
  | CommandRequest

export interface Actions {
  send(request: ActionRequest, signal: AbortSignal): Promise<ActionAnswer>
  check(request: CheckRequest, signal: AbortSignal): Promise<ActionCheck>
  /** A GET that changes nothing, for preconditions. */
  look(request: LookRequest, signal: AbortSignal): Promise<Look>
}

export function createActions(): Actions {
  const http = createHttpActions()
  return {
    send: (request, signal) => (request.kind === 'http' ? http.send(request, signal) : runCommand(request, signal)),
    check: (request, signal) =>
      request.kind === 'http' ? http.check(request.url, request.headers, signal) : checkCommand(request, signal),
    look: lookAt,
  }
}
