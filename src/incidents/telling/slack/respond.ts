// Where an answer may be sent: Slack names the address in what it sends us, and nothing else is ever called.

const SLACKS = /\.(?:slack\.com|slack-gov\.com)$/

export function mayRespondTo(address: string, apiUrl: string): boolean {
  if (!URL.canParse(address)) return false
  const { protocol, hostname, origin } = new URL(address)
  return (
    (protocol === 'https:' && (SLACKS.test(hostname) || hostname === 'slack.com')) || origin === new URL(apiUrl).origin
  )
}
