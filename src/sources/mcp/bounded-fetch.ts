// `fetch` for talking to a server that may send without end: every answer has a limit in bytes, and the stream that a
// server could push over at any time is never opened.

type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>

export const boundedFetch =
  (maxBytes: number, inner: Fetch = fetch): Fetch =>
  async (url, init) => {
    // What the protocol has a server without such a stream answer.
    if (init?.method === undefined || init.method === 'GET') return new Response(null, { status: 405 })
    const response = await inner(url, init)
    if (!response.body) return response
    let bytes = 0
    const bounded = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform: (chunk, controller) => {
          bytes += chunk.byteLength
          if (bytes > maxBytes) controller.error(new Error(`the answer has more than ${maxBytes} bytes`))
          else controller.enqueue(chunk)
        },
      }),
    )
    const { status, statusText, headers } = response
    return new Response(bounded, { status, statusText, headers })
  }
