// Whether a passage says what a sentence says, by code alone: every number with its unit and what it counts, every name, the same
// side of every negation and of every pair of opposites, and nearly all other words, in at most three sentences of the passage,
// which are what is cited; and each part of the sentence in one of them, for words of two are easily made into a third thing. It
// errs to the side of dropping. What it cannot see: who does what to whom where no names tell it, and words for the same
// thing that share no stem.
import { type Evidence, type EvidenceSentence, hasHidden } from './evidence.ts'
import type { Span } from './sentences.ts'
import { isLight, OPPOSITES } from './lexicon.ts'
import { inOnePlace } from './one-place.ts'
import { isThere, sameRate, sameUnit } from './same.ts'
import { type NumberTerm, readTerms, type Terms } from './terms.ts'

export type Support =
  | { readonly kind: 'supported'; readonly span: Span }
  | { readonly kind: 'unsupported'; readonly reason: string }

/** Of a sentence without its citations. The span is of the passage's text. */
export function findSupport(sentence: string, evidence: Evidence): Support {
  if (/^\s*(?:```|~~~)/.test(sentence)) return findVerbatim(sentence, evidence)
  const terms = readTerms(sentence)
  if (terms.words.length + terms.names.length + terms.numbers.length === 0) return no('it says nothing')
  const strange = terms.names.find(({ name }) => !hasName(evidence, name))
  if (strange) return no(`${strange.name} is not in the passage`)
  const chosen = choose(terms, evidence)
  const [first] = chosen
  if (!first) return no('the passage says nothing of it')
  const number = terms.numbers.find((one) => !chosen.some((said) => hasNumber(one, terms, said.terms)))
  if (number) return no(`${number.value} is not said of this in the passage`)
  const turned = findTurned(terms, chosen)
  if (turned !== undefined) return no(turned)
  const wide = findWide(sentence, chosen)
  if (wide !== undefined) return no(wide)
  const missing = findMissing(terms, chosen, evidence)
  if (missing !== undefined) return no(missing)
  const scattered = inOnePlace(terms, evidence)
  if (scattered !== undefined) return no(scattered)
  return {
    kind: 'supported',
    span: {
      start: Math.min(...chosen.map(({ start }) => start)),
      end: Math.max(...chosen.map(({ end }) => end)),
    },
  }
}

const no = (reason: string): Support => ({ kind: 'unsupported', reason })

const MOST_SENTENCES = 3

/** The sentences that say most of it, greedily: each next one has to bring something. */
function choose(terms: Terms, { sentences }: Evidence): readonly EvidenceSentence[] {
  const left = new Set([
    ...terms.words.map(({ stem }) => `w ${stem}`),
    ...terms.numbers.map(({ value }) => `n ${value}`),
    ...terms.names.map(({ name }) => `i ${name}`),
  ])
  const chosen: EvidenceSentence[] = []
  while (left.size > 0 && chosen.length < MOST_SENTENCES) {
    let best:
      | { readonly sentence: EvidenceSentence; readonly brings: readonly string[]; readonly worth: number }
      | undefined
    for (const sentence of sentences) {
      if (chosen.includes(sentence) || (chosen[0] && chosen[0].stretch !== sentence.stretch)) continue
      const brings = broughtBy(sentence.terms, left)
      if (brings.length === 0) continue
      // Beside equals the one that stands next to what is chosen, and says it in the same sense.
      const near = chosen.length === 0 || chosen.some((one) => Math.abs(one.start - sentence.end) < 200) ? 0.2 : 0
      const worth = brings.reduce((sum, key) => sum + (key.startsWith('w') ? 1 : 2), near)
      if (!best || worth > best.worth) best = { sentence, brings, worth }
    }
    if (!best || (chosen.length > 0 && best.worth < 1)) break
    chosen.push(best.sentence)
    for (const key of best.brings) left.delete(key)
  }
  return chosen
}

function broughtBy(said: Terms, left: ReadonlySet<string>): string[] {
  const has = new Set([...said.words.map(({ stem }) => `w ${stem}`), ...said.numbers.map(({ value }) => `n ${value}`)])
  return [...left].filter((key) => has.has(key) || (key.startsWith('i ') && said.text.includes(key.slice(2))))
}

/** Whole, as it stands, in the passage or in what it is called. */
function hasName({ readable, subject }: Evidence, name: string): boolean {
  const text = readable.toLowerCase()
  if (isIn(text, name) || isIn(subject.text, name)) return true
  if (/^\p{L}{3,}s$/u.test(name) && isIn(text, name.slice(0, -1))) return true
  // Words that one writer joins and another does not.
  return /^\p{L}+(?:-\p{L}+)+$/u.test(name) && isIn(text, name.replaceAll('-', ' '))
}

function isIn(text: string, name: string): boolean {
  const url = /^https?:/.test(name)
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    const before = text[at - 1] ?? ' '
    const after = text.slice(at + name.length, at + name.length + 2)
    if (/[\p{L}\p{N}_]/u.test(before)) continue
    if (
      url
        ? /^[\w/?&=%#@:+~-]/.test(after)
        : /^(?:[\p{L}\p{N}_]|[./@:-][\p{L}\p{N}_])/u.test(after) && !/^(?:s\b|'s)/.test(after)
    )
      continue
    return true
  }
  return false
}

/** The same number, in the same unit, said of the same thing: next to a word that stands next to it here too. */
function hasNumber(number: NumberTerm, terms: Terms, said: Terms): boolean {
  const wanted = wordsBeside(number, terms)
  return said.numbers.some((other) => {
    if (other.value !== number.value || !sameRate(number.rate, other.rate)) return false
    if (!sameUnit(number.unit, other.unit) && !(other.unit === undefined && isUnitNamed(number, other, said)))
      return false
    if (wanted.length === 0 || terms.names.some(({ name }) => said.text.includes(name))) return true
    const isWhole = said.numbers.length === 1 || said.dependent.has(other.clause)
    const beside = isWhole ? said.words.map(({ stem }) => stem) : wordsBeside(other, said)
    return beside.length === 0 || wanted.some((stem) => beside.includes(stem))
  })
}

/** A table names its unit in another cell; of "90 days, the others for 14" the second has that of the first. A number of nothing is of anything. */
const isUnitNamed = ({ unit }: NumberTerm, { head, at }: NumberTerm, said: Terms): boolean =>
  unit === undefined ||
  said.words.some(({ stem }) => stem.startsWith(unit) && unit.length > 1) ||
  (head === undefined && said.numbers.some((one) => one.at < at && one.unit === unit))

function wordsBeside({ clause }: NumberTerm, { words }: Terms): readonly string[] {
  return words.filter((word) => word.clause === clause).map(({ stem }) => stem)
}

function findTurned(terms: Terms, chosen: readonly EvidenceSentence[]): string | undefined {
  const turns = new Set(chosen.flatMap((one) => [...one.terms.turns]))
  const turned = new Set(chosen.flatMap((one) => [...one.terms.turned]))
  for (const turn of terms.turns) {
    if (!turns.has(turn) && OPPOSITES.get(turn)?.some((opposite) => turns.has(opposite)))
      return `the passage says the opposite of "${turn}"`
  }
  for (const pair of terms.turned) {
    const [turn = '', word = ''] = pair.split(' ')
    if (!turned.has(pair) && OPPOSITES.get(turn)?.some((opposite) => turned.has(`${opposite} ${word}`)))
      return `the passage says the opposite of "${pair}"`
  }
  // Of each word the sentence that was chosen first for it decides: others speak of something else in the same words.
  const there = new Map<string, Set<boolean>>()
  for (const { terms: said } of chosen) {
    const here = new Map<string, Set<boolean>>()
    for (const { stem, negated } of said.words) here.set(stem, (here.get(stem) ?? new Set()).add(negated))
    for (const [stem, senses] of here) if (!there.has(stem)) there.set(stem, senses)
  }
  const shared = terms.words.filter(({ stem }) => there.has(stem))
  const denied = shared.filter(({ negated }) => negated)
  if (
    denied.length > 0 &&
    !denied.some(({ stem }) => there.get(stem)?.has(true)) &&
    !chosen[0]?.terms.words.some(({ negated }) => negated)
  )
    return 'the passage does not deny it'
  const opposed = shared.find(({ stem, negated }) => !negated && isOnlyDenied(stem, chosen))
  if (opposed && !shared.some(({ negated }) => negated)) return `the passage denies "${opposed.stem}"`
  // "No order is lost" and "orders are not lost" deny different words, and the same.
  const asserted = /\bno\b/.test(terms.text)
    ? undefined
    : shared.find(({ stem, denied: own }) => own && !there.get(stem)?.has(true))
  if (asserted) return `the passage does not deny "${asserted.stem}"`
  const deniedThere = shared.filter(({ stem, negated }) => !negated && !there.get(stem)?.has(false))
  if (deniedThere.length > shared.length * MOST_DENIED) return 'the passage denies it'
  return undefined
}

/** In the sentence that was chosen first for it. */
function isOnlyDenied(stem: string, chosen: readonly EvidenceSentence[]): boolean {
  const first = chosen.find(({ terms }) => terms.words.some((word) => word.stem === stem))
  const said = first?.terms.words.filter((word) => word.stem === stem) ?? []
  return said.length > 0 && said.every(({ denied }) => denied)
}

const ALL = /\b(?:all|every|everyone|everybody|always|entire|whole)\b/i
const ALL_THERE = /\b(?:all|every|everyone|everybody|each|always|any|anyone|both|whole|entire|never|no|none|nobody)\b/i
const EXCEPT = /\b(?:except|unless|apart from|other than|but not)\b/i

/** What is said of all has to be said of all, and not of all but some. */
function findWide(sentence: string, chosen: readonly EvidenceSentence[]): string | undefined {
  const all = ALL.exec(sentence)?.[0] ?? (/\b(?:each|any)\b/i.exec(sentence)?.[0] || undefined)
  if (all === undefined) return undefined
  if (ALL.test(sentence) && !chosen.some(({ text }) => ALL_THERE.test(text))) return `the passage does not say "${all}"`
  const [first] = chosen
  return first && EXCEPT.test(first.text) && !/\b(?:except|unless|apart|other|but|most)\b/i.test(sentence)
    ? `the passage does not say "${all}" without an exception`
    : undefined
}

/** What is denied of some of its words only, and not of the one that a negation stands before, is said of something else. */
const MOST_DENIED = 0.5
/** Of a sentence so many of the words may be another's; of a part of it between commas no more than half. */
const STRANGE_WORDS = 0.17

function findMissing(terms: Terms, chosen: readonly EvidenceSentence[], { subject }: Evidence): string | undefined {
  const there = new Set([...chosen.flatMap((one) => one.terms.words), ...subject.words].map(({ stem }) => stem))
  // Names of the passage are words in the sentence where they begin it, and the other way round.
  const names = [...chosen.map((one) => one.terms.text), subject.text].join('\n')
  const missing = terms.words.filter(({ stem }) => !isThere(stem, there) && !(stem.length > 3 && names.includes(stem)))
  const subjectless = missing.find((word) => word.required)
  if (subjectless) return `the passage does not speak of "${subjectless.stem}"`
  const strange = missing.filter(({ stem }) => !isLight(stem))
  const all = terms.words.length + terms.numbers.length + terms.names.length
  if (strange.length > Math.floor(all * STRANGE_WORDS))
    return `the passage does not speak of "${strange[0]?.stem ?? ''}"`
  for (const clause of new Set(missing.map((word) => word.clause))) {
    const inside = terms.words.filter((word) => word.clause === clause).length
    if (inside > 1 && missing.filter((word) => word.clause === clause).length > inside / 2)
      return `the passage does not speak of "${missing.find((word) => word.clause === clause)?.stem ?? ''}"`
  }
  return undefined
}

/** A block of code has to stand in the passage line by line, in order. */
function findVerbatim(block: string, { readable, passage }: Evidence): Support {
  const lines = linesOfCode(block).filter((line) => line !== '')
  if (lines.length === 0) return no('it says nothing')
  let start = -1
  let at = 0
  for (const line of lines) {
    const found = readable.indexOf(line, at)
    if (found < 0) return no(`"${line.slice(0, 60)}" is not in the passage`)
    if (start < 0) start = found
    at = found + line.length
  }
  // Over what is no evidence no quote reaches.
  return hasHidden(passage.text.slice(start, at), readable.slice(start, at))
    ? no('it does not stand together in the passage')
    : { kind: 'supported', span: { start, end: at } }
}

/** Without its fences; what is written behind the opening one is no part of it. */
export function linesOfCode(block: string): readonly string[] {
  const lines = block.split('\n').map((line) => line.trim())
  return lines.slice(1, /^(?:```+|~~~+)$/.test(lines.at(-1) ?? '') ? -1 : undefined)
}
