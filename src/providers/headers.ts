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

/** The body of an error in which these secrets do not occur: some servers quote what they were sent. */
export function withoutSecrets(body: Buffer, secrets: readonly (Secret | undefined)[]): Buffer {
  let text: string | undefined
  for (const secret of secrets) {
    const value = secret?.reveal()
    if (!value || !body.includes(value)) continue
    text = (text ?? body.toString('utf8')).replaceAll(value, '***')
  }
  return text === undefined ? body : Buffer.from(text)
}
