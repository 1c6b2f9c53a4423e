// Finds what a row of pressed keys means among the bindings in force.

export interface Binding {
  /** One key, or several after one another: `a`, `g i`, `?`. */
  readonly keys: string
  /** For the list of keys: "approve". */
  readonly says: string
  readonly run: () => void
}

export type KeyMatch =
  | { readonly kind: 'run'; readonly binding: Binding }
  /** The beginning of something: wait for the next key. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'none' }

/** The newest binding wins, so that a dialog or a room may take a key for itself. */
export function matchKeys(pressed: readonly string[], bindings: readonly Binding[]): KeyMatch {
  const typed = pressed.join(' ')
  const binding = bindings.findLast(({ keys }) => keys === typed)
  if (binding) return { kind: 'run', binding }
  return bindings.some(({ keys }) => keys.startsWith(`${typed} `)) ? { kind: 'wait' } : { kind: 'none' }
}
