// The identity of a set of labels as Prometheus computes it: 64-bit FNV-1a over the sorted names and values, each
// ended by the byte 255 (github.com/prometheus/common/model, LabelSet.Fingerprint).
import type { Labels } from '../../src/core/telemetry.ts'

const OFFSET = 0xcbf29ce484222325n
const PRIME = 0x100000001b3n
const MASK = 0xffffffffffffffffn

/** Sixteen hexadecimal digits. */
export function fingerprint(labels: Labels): string {
  let hash = OFFSET
  const add = (byte: number) => {
    hash = ((hash ^ BigInt(byte)) * PRIME) & MASK
  }
  for (const name of Object.keys(labels).sort()) {
    for (const part of [name, labels[name] ?? '']) {
      for (const byte of Buffer.from(part)) add(byte)
      add(255)
    }
  }
  return hash.toString(16).padStart(16, '0')
}
