// Moves the focus along what can be stepped through: rows of the list, pieces of evidence.

/** To the next (1) or previous (-1) element; to the first or last when none has the focus yet. Stops at the ends. */
export function stepFocus(selector: string, step: 1 | -1): void {
  const all = [...document.querySelectorAll<HTMLElement>(selector)]
  const at = all.findIndex((element) => element.contains(document.activeElement))
  const next = at === -1 ? (step === 1 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step))
  all[next]?.focus()
  all[next]?.scrollIntoView({ block: 'nearest' })
}
