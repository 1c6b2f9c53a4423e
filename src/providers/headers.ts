// Headers as a provider's config gives them, and errors that never quote a key back.
import { Buffer } from 'node:buffer'
import { Secret } from '../core/secret.ts'

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
  for (const secret of secrets) {
    // Of "Bearer KEY" it is the key that is quoted.
    const whole = secret.reveal()
    const value = whole.slice(whole.lastIndexOf(' ') + 1)
    if (!value || !body.includes(value)) continue
    text = (text ?? body.toString('utf8')).replaceAll(value, '***')
  }
  return text === undefined ? body : Buffer.from(text)
}
