// By what an incident is known again: a set of typed features, with everything masked that differs from one occurrence to
// the next. `cause` is none of them: a diagnosis must not be recognised by itself. Pure, and the same function makes the
// signature of an incident under way and of a case.
import { z } from 'zod'
import type { Cause, EvidenceRef } from '../../diagnosis/evidence.ts'
import { peerOf, roleOf } from '../../diagnosis/metric-roles.ts'
import { cleanText } from '../clean-text.ts'
import { maskValue } from '../fingerprint.ts'

export const FEATURE_TYPES = ['service', 'alert', 'anomaly', 'log', 'change', 'first', 'word'] as const
export type FeatureType = (typeof FEATURE_TYPES)[number]

/** What alerts alone tell; the others need a diagnosis. */
export const OF_ALERTS: readonly FeatureType[] = ['service', 'alert', 'word']

export const signatureSchema = z.object({
  /** `anomaly:inventory cpu up`: the type, a colon, and what was seen. Sorted, each once. */
  features: z.array(z.string()),
  /** Whether evidence was looked at: without it only what the alerts tell can be compared. */
  withEvidence: z.boolean(),
})
export type Signature = z.infer<typeof signatureSchema>

export interface SignatureInput {
  readonly alerts: readonly { readonly service: string | null; readonly name: string; readonly summary?: string }[]
  /** Best first; none before the diagnosis, and when it abstained. */
  readonly causes: readonly Pick<Cause, 'score' | 'evidence'>[]
}

/** Of one type; a storm of alerts is known by its first ones, in order of the alphabet. */
const MOST_OF_A_TYPE = 40
const MAX_LENGTH = 200
/** Evidence for causes with less than this share of the best one's score is mostly noise. */
const NEAR_THE_BEST = 0.4

export function signatureOf({ alerts, causes }: SignatureInput): Signature {
  const found: Record<FeatureType, Set<string>> = {
    service: new Set(),
    alert: new Set(),
    anomaly: new Set(),
    log: new Set(),
    change: new Set(),
    first: new Set(),
    word: new Set(),
  }
  for (const { service, name, summary = '' } of alerts) {
    const masked = maskValue('alertname', name)
    if (service !== null) found.service.add(service)
    found.alert.add(`${service ?? '-'} ${masked}`)
    for (const word of wordsOf(`${masked} ${summary}`)) found.word.add(word)
  }
  let first: { readonly onsetMs: number; readonly what: string } | undefined
  for (const { ref } of evidenceOf(causes)) {
    for (const [type, what] of featuresIn(ref)) found[type].add(what)
    if (ref.kind !== 'series' || ref.onsetMs === null) continue
    if (!first || ref.onsetMs < first.onsetMs) first = { onsetMs: ref.onsetMs, what: `${ref.service} ${measures(ref)}` }
  }
  if (first) found.first.add(first.what)
  const features = FEATURE_TYPES.flatMap((type) =>
    [...found[type]]
      .map((what) => `${type}:${cleanText(what, MAX_LENGTH)}`)
      .sort()
      .slice(0, MOST_OF_A_TYPE),
  )
  return { features: [...new Set(features)], withEvidence: causes.length > 0 }
}

export function typeOf(feature: string): FeatureType {
  const type = feature.slice(0, feature.indexOf(':'))
  return FEATURE_TYPES.find((one) => one === type) ?? 'word'
}

/** Evidence for the best cause and for those that come near it, strongest causes first. */
function evidenceOf(causes: SignatureInput['causes']): Cause['evidence'] {
  const best = causes[0]?.score ?? 0
  return causes
    .filter(({ score }) => score >= NEAR_THE_BEST * best)
    .flatMap(({ evidence }) => evidence.filter(({ weight }) => weight > 0))
}

function featuresIn(ref: EvidenceRef): readonly (readonly [FeatureType, string])[] {
  switch (ref.kind) {
    case 'series': {
      const direction = ref.before === null || ref.after === null ? 'moved' : ref.after >= ref.before ? 'up' : 'down'
      return [['anomaly', `${ref.service} ${measures(ref)} ${direction}`]]
    }
    case 'log': {
      return [['log', `${ref.service} ${ref.countAfter === 0 ? 'silent ' : ''}${ref.template}`]]
    }
    case 'change': {
      return [['change', `${ref.service} ${ref.changeKind}`]]
    }
    case 'topology': {
      return []
    }
  }
}

/** What a series measures, as far as its name tells (else its name), and of whom, where it is a caller's view of another. */
function measures({ metric, labels }: Extract<EvidenceRef, { kind: 'series' }>): string {
  const role = roleOf(metric, Object.keys(labels))
  const peer = peerOf(labels)
  return `${role === 'other' ? metric : role}${peer === undefined ? '' : ` of ${peer}`}`
}

/** Words of three letters and more, lower case, with names in CamelCase taken apart. Numbers and addresses are none. */
function wordsOf(text: string): readonly string[] {
  const apart = text.slice(0, 2000).replaceAll(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
  return apart
    .split(/[\s,;:()[\]{}"'<>|=/_.-]+/u)
    .filter((word) => /^\p{L}{3,30}$/u.test(word))
    .map((word) => word.toLowerCase())
    .filter((word) => !COMMON.has(word))
}

const COMMON = new Set(
  'the and for has have are was were been than more less with from that this over high low alert firing warning critical error'.split(
    ' ',
  ),
)
