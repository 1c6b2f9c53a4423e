// Speaks to Midwatch's API. Every failure becomes an ApiError whose message a person can act on.

export class ApiError extends Error {
  override readonly name = 'ApiError'
  /** The HTTP status; 0 when no answer came. */
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export async function getJson<T>(path: string, signal: AbortSignal): Promise<T> {
  return (await call('GET', path, undefined, signal)) as T
}

/** Answers undefined where the server sends no content. */
export async function sendJson<T>(method: 'POST' | 'DELETE', path: string, body?: unknown): Promise<T> {
  return (await call(method, path, body, AbortSignal.timeout(30_000))) as T
}

async function call(method: string, path: string, body: unknown, signal: AbortSignal): Promise<unknown> {
  let response: Response
  try {
    response = await fetch(path, {
      method,
      signal,
      credentials: 'same-origin',
      headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  } catch (error) {
    if (signal.aborted && method === 'GET') throw error
    throw new ApiError(0, method === 'GET' ? NO_ANSWER : NO_ANSWER_TO_A_DECISION)
  }
  learnSkew(response.headers.get('date'))
  const text = await response.text()
  if (!response.ok) throw new ApiError(response.status, messageOf(text, response.status))
  return text === '' ? undefined : (JSON.parse(text) as unknown)
}

const NO_ANSWER = 'Midwatch does not answer. Check that it runs and that this device reaches it; the page tries again.'
const NO_ANSWER_TO_A_DECISION =
  'No answer came, so it is not known whether this arrived. Look at what is shown once the connection is back, before trying again.'

function messageOf(text: string, status: number): string {
  try {
    const message = (JSON.parse(text) as { error?: { message?: unknown } }).error?.message
    if (typeof message === 'string' && message !== '') return message
  } catch {
    // Not our own error body: something between the browser and Midwatch answered.
  }
  return `The server answered ${status} without saying why. Something between this page and Midwatch may have answered.`
}

let skewMs = 0

function learnSkew(date: string | null): void {
  const serverMs = date === null ? Number.NaN : Date.parse(date)
  if (Number.isNaN(serverMs)) return
  // The header has whole seconds: less than two is no difference.
  const difference = serverMs - Date.now()
  skewMs = Math.abs(difference) < 2000 ? 0 : difference
}

/** Now by the server's clock, for a phone's may be minutes off. */
export const serverNow = (): number => Date.now() + skewMs
