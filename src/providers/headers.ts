// Headers as a provider's config gives them, and errors that never quote a key back.
import { Buffer } from 'node:buffer'
import { Secret } from '../core/secret.ts'
import { ProviderFailure } from '../llm/provider.ts'

/** Names in small letters, secrets revealed. */
export function revealed(headers: Readonly<Record<string, string | Secret>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.toLowerCase(),
      value instanceof Secret ? value.reveal() : value,
    ]),
  )
}

/** All that must not be quoted back: the keys, and what the config hides of the headers. */
export const secretsOf = (
  headers: Readonly<Record<string, string | Secret>>,
  ...keys: readonly (Secret | undefined)[]
): readonly Secret[] => [...keys, ...Object.values(headers)].filter((value) => value instanceof Secret)

/** The body of an error in which these secrets do not occur: some servers quote what they were sent. */
export function withoutSecrets(body: Buffer, secrets: readonly Secret[]): Buffer {
  let text: string | undefined
  for (const value of valuesOf(secrets)) {
    if (!body.includes(value)) continue
    text = (text ?? body.toString('utf8')).replaceAll(value, '***')
  }
  return text === undefined ? body : Buffer.from(text)
}

/** The same failure, which quotes none of them: neither to the caller nor in our log. */
export function quotingNone(failure: ProviderFailure, secrets: readonly Secret[]): ProviderFailure {
  const values = valuesOf(secrets)
  const clean = (text: string): string => values.reduce((clean, value) => clean.replaceAll(value, '***'), text)
  const { publicMessage, reply, event, ...others } = failure.detail
  const said = [failure.message, publicMessage, reply?.body.toString(), event && Buffer.from(event).toString()]
  if (!said.some((text) => text !== undefined && clean(text) !== text)) return failure
  return new ProviderFailure(failure.kind, clean(failure.message), {
    ...others,
    ...(publicMessage === undefined ? {} : { publicMessage: clean(publicMessage) }),
    ...(reply === undefined ? {} : { reply: { ...reply, body: withoutSecrets(reply.body, secrets) } }),
    ...(event === undefined ? {} : { event: withoutSecrets(Buffer.from(event), secrets) }),
  })
}

/** Of "Bearer KEY" it is the key that is quoted. */
const valuesOf = (secrets: readonly Secret[]): readonly string[] =>
  secrets
    .map((secret) => {
      const whole = secret.reveal()
      return whole.slice(whole.lastIndexOf(' ') + 1)
    })
    .filter((value) => value !== '')
