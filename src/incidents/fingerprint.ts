// Two names for an alert, both hashes of its labels. `identity` is exact: two pods of one deployment are two alerts,
// and the end of one is not the end of the other. `fingerprint` masks what differs from one occurrence to the next,
// so that the same trouble is known again when it returns in a new pod or with another number in its text.
import { canonicalJson, sha256Hex } from '../core/hash.ts'
import type { Labels } from '../core/telemetry.ts'

/** Which of several watchers saw it, or a measured value: not part of what the trouble is. */
const NOT_IDENTIFYING = new Set([
  'prometheus_replica',
  '__replica__',
  'receive_replica',
  'rule_replica',
  'thanos_ruler_replica',
  'value',
  'current_value',
  'timestamp',
])

const POD_LABELS = new Set(['pod', 'pod_name', 'kubernetes_pod_name', 'exported_pod'])
/** Letters and digits that Kubernetes draws random names from: no vowels, nothing that looks like something else. */
const RANDOM = 'bcdfghjklmnpqrstvwxz2456789'
/** `checkout-7d9f8b6c5d-x2x7k` of a deployment, `checkout-x2x7k` of a daemon set. The ordinal in `db-0` stays. */
const POD_SUFFIX = new RegExp(`-(?:[a-f0-9${RANDOM}]{6,10}-)?[${RANDOM}]{5}$`)

const MASKS: readonly (readonly [RegExp, string])[] = [
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<uuid>'],
  [/\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2})?(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?/g, '<time>'],
  // Container ids, commits, trace ids: long, hexadecimal, and with a digit (or `deadbeefcafe` would be one).
  [/\b(?=[a-f]*\d)[0-9a-f]{12,}\b/gi, '<hex>'],
  [/\b\d{9,}\b/g, '<number>'],
]

/** Free text ("Disk 93.5% full on web1") carries measurements; a rule's name (Http500s) does not. */
const MEASUREMENT = /(?<![\w.])\d+(?:[.,]\d+)*\s?(?:%|[a-zA-Zµ]{1,3}(?![\w]))?(?!\w)/g

/** A label's value with what varies between occurrences replaced. Masking twice changes nothing more. */
export function maskValue(label: string, value: string): string {
  let masked = POD_LABELS.has(label) ? value.replace(POD_SUFFIX, '-<pod>') : value
  for (const [pattern, mask] of MASKS) masked = masked.replaceAll(pattern, mask)
  return label === 'alertname' && /\s/.test(value) ? masked.replaceAll(MEASUREMENT, '<n>') : masked
}

/** The same for the same trouble. 32 hexadecimal digits; the order of labels does not matter. */
export function fingerprintOf(labels: Labels): string {
  const kept = Object.entries(labels).filter(([label]) => !NOT_IDENTIFYING.has(label))
  return digest(kept.map(([label, value]) => [label, maskValue(label, value)]))
}

/** The same for exactly the same labels. 32 hexadecimal digits. */
export const identityOf = (labels: Labels): string => digest(Object.entries(labels))

/** Pairs rather than an object, for a label may be called `__proto__`. */
const digest = (pairs: readonly (readonly string[])[]): string =>
  sha256Hex(canonicalJson([...pairs].sort(([a = ''], [b = '']) => (a < b ? -1 : 1)))).slice(0, 32)
