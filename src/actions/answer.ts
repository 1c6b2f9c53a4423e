// What is known about the effect of an action once it was sent, and once it was asked about later. "It failed" and "it may
// have happened" differ: only the first may ever be followed by another try.

export type ActionAnswer =
  /** 2xx, or exit code 0. */
  | { readonly kind: 'done'; readonly detail: string }
  /** The other side said no: a 4xx, a redirect, a declared exit code. */
  | { readonly kind: 'refused'; readonly detail: string }
  /** No connection was made, no program started: nothing can have happened. */
  | { readonly kind: 'unsent'; readonly detail: string }
  /** It was sent and no usable answer came: it may have happened. */
  | { readonly kind: 'unclear'; readonly detail: string }

/** What the catalogue's `check` says about an earlier run. */
export type ActionCheck =
  | { readonly kind: 'done' }
  | { readonly kind: 'never' }
  | { readonly kind: 'unclear'; readonly detail: string }
