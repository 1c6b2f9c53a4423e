// Whether the API knows who we are. An answer of 401 anywhere ends the session on the page; signing in sends the key
// once and gets a cookie that scripts cannot read, so the key is kept nowhere in the page.
import { useSyncExternalStore } from 'react'
import { ApiError, sendJson } from './client.ts'

export type Session = 'unknown' | 'needed' | 'signed-in'

// A mark without a secret, so that a page opened again offers to sign out.
const MARK = 'midwatch.signed-in'

let session: Session = localStorage.getItem(MARK) === null ? 'unknown' : 'signed-in'
const listeners = new Set<() => void>()

function set(next: Session): void {
  session = next
  if (next === 'signed-in') localStorage.setItem(MARK, 'yes')
  else localStorage.removeItem(MARK)
  for (const listener of listeners) listener()
}

export function useSession(): Session {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => session,
  )
}

/** Called with every failure of a question or a decision. */
export function noticeFailure(error: unknown): void {
  if (error instanceof ApiError && error.status === 401) set('needed')
}

/** Throws ApiError when the key is not valid. */
export async function signIn(key: string): Promise<void> {
  await sendJson('POST', '/v1/session', { key })
  set('signed-in')
}

export async function signOut(): Promise<void> {
  await sendJson('DELETE', '/v1/session')
  set('needed')
}
