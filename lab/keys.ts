// Single keys from a terminal. On anything else there are none, and nothing waits for them. Ctrl-C in this mode is a
// character like any other: it is handed on as the signal that it stands for.

export interface Keys {
  /** Whether somebody can press keys at all. */
  readonly there: boolean
  /** Calls back for every key from now on, until the returned function is called. */
  listen(onKey: (key: string) => void): () => void
  close(): void
}

export function openKeys(input: NodeJS.ReadStream = process.stdin): Keys {
  if (!input.isTTY) return { there: false, listen: () => () => undefined, close: () => undefined }
  const listeners = new Set<(key: string) => void>()
  const onData = (data: Buffer) => {
    for (const key of data.toString()) {
      if (key === '\u0003') process.kill(process.pid, 'SIGINT')
      for (const listener of listeners) listener(key.toLowerCase())
    }
  }
  input.setRawMode(true)
  input.on('data', onData)
  input.resume()
  return {
    there: true,
    listen: (onKey) => {
      listeners.add(onKey)
      return () => void listeners.delete(onKey)
    },
    close: () => {
      input.off('data', onData)
      input.setRawMode(false)
      input.pause()
    },
  }
}
