// Ctrl-C, a polite kill, a closed terminal: each is a wish to leave in order.

/** The first signal leaves in order, the second at once; processes that were started end either way. */
export function onLeave(leave: () => void): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      process.on(signal, () => process.exit(130))
      leave()
    })
  }
}
