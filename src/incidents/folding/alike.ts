// Whether two alerts that name neither a service nor a place say the same in other words: the share of their words in
// common (Jaccard), with what varies masked and what every alert says left out. Plain enough that a person can count it.
// After A. Broder, On the resemblance and containment of documents (1997).
import type { Labels } from '../../core/telemetry.ts'

export interface AlertText {
  /** The part of the world it says it is about: `cluster=eu region=…`. Alerts of different ones are not alike. */
  readonly scope: string
  /** Sorted, each once. */
  readonly words: readonly string[]
}

const MAX_WORDS = 60
/** Fewer in common say nothing, whatever their share. */
const LEAST_COMMON = 2

const SCOPE_LABELS = [
  'cluster',
  'region',
  'zone',
  'availability_zone',
  'datacenter',
  'dc',
  'environment',
  'env',
  'namespace',
  'tenant',
  'customer',
]

/** What stands in alerts of every kind. */
const COMMON = new Set(
  'a an and are at be been by for from has have in is it its more not of on or over than that the this to was were with above below exceeded exceeds alert alerts alarm warning critical error severity firing triggered problem issue host instance value current currently last minute minutes min mins seconds sec ms again after before threshold limit since now please check'.split(
    ' ',
  ),
)

/** The words of an alert: its name, and what its annotations say. */
export function textOf(name: string, labels: Labels, annotations: Labels): AlertText {
  const said = annotations['summary'] ?? annotations['message'] ?? annotations['description'] ?? ''
  return {
    scope: SCOPE_LABELS.filter((label) => Object.hasOwn(labels, label))
      .map((label) => `${label}=${labels[label]}`)
      .join(' '),
    words: wordsOf(`${name} ${said}`.slice(0, 2000)),
  }
}

function wordsOf(text: string): readonly string[] {
  const words = text
    .replaceAll(/([\p{Ll}\d])(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    // Addresses, ids, numbers with their units, names of machines: what one occurrence has and the next has not.
    .replaceAll(/[^\s]*\d[^\s]*/g, ' ')
    .split(/[^\p{L}]+/u)
    .filter((word) => word.length > 1 && !COMMON.has(word))
  return [...new Set(words)].sort().slice(0, MAX_WORDS)
}

export interface Likeness {
  /** 0 to 1. */
  readonly share: number
  readonly common: readonly string[]
}

export function likeness(a: AlertText, b: AlertText): Likeness {
  const others = new Set(b.words)
  const common = a.words.filter((word) => others.has(word))
  if (a.scope !== b.scope || common.length < LEAST_COMMON) return { share: 0, common }
  return { share: common.length / (a.words.length + b.words.length - common.length), common }
}
