// The body of an answer as text, as long as it is not longer than what was agreed on.

/** undefined where it holds more than `maxBytes`: nothing after them is read. */
export async function readBounded(body: AsyncIterable<unknown> | null, maxBytes: number): Promise<string | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength
    if (size > maxBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
