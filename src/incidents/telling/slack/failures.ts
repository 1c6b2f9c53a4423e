// What Slack answers when it does not do what it was asked, as a sentence that says what to do. `kind` tells what the
// channel may do about it: `refused` means that nothing was done, `unknown` that nobody knows.
import { webApi } from '@slack/bolt'
import { AppError } from '../../../core/errors.ts'

export interface SlackFailure {
  readonly kind: 'refused' | 'limited' | 'unknown'
  /** Slack's own word where it gave one. */
  readonly code: string | undefined
  readonly error: AppError
}

const SAYS: Readonly<Record<string, (where: string, needed: string) => string>> = {
  not_in_channel: (where) => `Midwatch is not in ${where}. Write "/invite @midwatch" there.`,
  channel_not_found: (where) =>
    `Midwatch can see no channel ${where}. Look at its name in the config; where it is private, write "/invite @midwatch" there.`,
  is_archived: (where) => `${where} is archived. Unarchive it, or name another channel in the config.`,
  restricted_action: (where) => `The rules of the workspace do not let Midwatch post in ${where}. Ask its admin.`,
  missing_scope: (_where, needed) =>
    `The Slack app lacks the scope ${needed}. Add it under "OAuth & Permissions" and install the app again.`,
  token_expired: () => 'The bot token of Slack has expired. Put the new one into agent.notify.slack.botToken.',
}

for (const code of ['invalid_auth', 'not_authed', 'account_inactive', 'token_revoked', 'user_removed_from_team'])
  Object.assign(SAYS, {
    [code]: () =>
      'Slack does not know this token. Copy the "Bot User OAuth Token" of the installed app into agent.notify.slack.botToken.',
  })

/** These come after Slack has tried. */
const NOT_SURE = new Set([
  'fatal_error',
  'internal_error',
  'request_timeout',
  'service_unavailable',
  'ekm_access_denied',
])

/** `where` is the channel as people call it. */
export function failureOf(thrown: unknown, where: string): SlackFailure {
  if (thrown instanceof webApi.WebAPIRateLimitedError) return limited(thrown.retryAfter)
  if (thrown instanceof webApi.WebAPIPlatformError) {
    const { data } = thrown
    const code = data.error.slice(0, 100)
    if (code === 'ratelimited' || code === 'rate_limited') return limited(data.response_metadata?.retryAfter ?? 30)
    const needed = 'needed' in data && typeof data.needed === 'string' ? data.needed : 'it needs'
    const says = SAYS[code]?.(where, needed) ?? `Slack did not take it for ${where}.`
    const error = new AppError('upstream', `${says} (Slack says ${code}.)`)
    return { kind: NOT_SURE.has(code) ? 'unknown' : 'refused', code, error }
  }
  if (thrown instanceof webApi.WebAPIHTTPError) {
    const error = new AppError('upstream', `Slack answered ${thrown.statusCode}.`)
    return { kind: 'unknown', code: undefined, error }
  }
  const error = new AppError('upstream', 'Slack could not be reached.', { cause: thrown })
  return { kind: 'unknown', code: undefined, error }
}

function limited(retryAfterSeconds: number): SlackFailure {
  const message = `Slack asks to wait for ${retryAfterSeconds} s.`
  return { kind: 'limited', code: 'ratelimited', error: new AppError('limited', message, { retryAfterSeconds }) }
}
