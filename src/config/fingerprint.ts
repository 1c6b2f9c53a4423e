// Whether two settings say the same: also their secrets, which are told to nobody.
import { sha256Hex } from '../core/hash.ts'
import { Secret } from '../core/secret.ts'

/** Equal for equal settings, in whatever order their keys stand. */
export function fingerprint(settings: unknown): string {
  const told = (value: unknown): unknown => {
    if (value instanceof Secret) return { secret: value.reveal() }
    if (Array.isArray(value)) return value.map(told)
    if (value === null || typeof value !== 'object') return value
    return Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, told(inner)])
  }
  return sha256Hex(JSON.stringify(told(settings)) ?? '')
}
