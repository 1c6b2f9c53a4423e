// A URL from the config as something to call: a user and password in it become a header, so that no error message
// and no log line that names the address can carry them.
export interface Endpoint {
  /** Without user, password and fragment. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

export function endpointOf(text: string): Endpoint {
  const url = new URL(text)
  const { username, password } = url
  url.username = ''
  url.password = ''
  url.hash = ''
  if (username === '' && password === '') return { url: url.href, headers: {} }
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { url: url.href, headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` } }
}
