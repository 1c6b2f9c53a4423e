// Each part of a sentence has to stand in one place of the passage: most of its words, all its names, and its numbers, counting the
// same things, in the same relations and on the same side of opposites. Else what is said of one thing could be put together
// with the number of another, and with all words there nobody would see it.
import type { Evidence } from './evidence.ts'
import { isLight } from './lexicon.ts'
import { mixedIn, type Whole } from './other-clause.ts'
import { isThere, sameRate, sameUnit } from './same.ts'
import type { NameTerm, NumberTerm, Terms, WordTerm } from './terms.ts'

/** Of a part's words, so many have to stand in the one place; all where it has no more than two and nothing else. */
const MOST_WORDS = 0.5
/** A sentence with one of these may speak of what another one names. */
const PRONOUN = /\b(?:it|its|they|them|their|he|him|she|her|this|these|those|both|there)\b/
/** Behind one of these stands no subject. */
const BEFORE_NO_SUBJECT =
  /^\W*(?:in|at|on|for|with|without|after|before|from|by|to|of|during|between|under|above|if|when|because|since|as|until|unless|although|though)\b/

interface Part {
  readonly words: readonly WordTerm[]
  readonly numbers: readonly NumberTerm[]
  readonly names: readonly NameTerm[]
}

/** Why not; undefined where each part has its place. */
export function inOnePlace(said: Terms, { sentences, subject }: Evidence): string | undefined {
  const places = sentences.map(({ terms }) => placeOf(terms, subject))
  const called = new Set(subject.words.map(({ stem }) => stem))
  const first = subjectOf(said)
  const isElsewhere = first !== undefined && sentences.some(({ terms }) => terms.text.includes(first))
  const whole: Whole = {
    keys: new Set([...said.words.map(({ stem }) => stem), ...said.names.map(({ name }) => name)]),
    numbers: new Set(said.numbers.map(({ value }) => value)),
  }
  for (const part of partsOf(said)) {
    let reason: string | undefined
    let found = false
    for (const place of places) {
      if (!holds(part, place)) continue
      const wrong =
        findWrong(part, said, place.terms) ??
        (isElsewhere ? findOther(part, first, place) : undefined) ??
        findMixed(part, whole, place.terms, called)
      if (wrong === undefined) found = true
      reason ??= wrong
    }
    if (!found) return reason ?? 'it is put together from several places of the passage'
  }
  return undefined
}

/** Between commas; a part that says too little by itself goes with the one before it. */
function partsOf({ words, numbers, names, text }: Terms): readonly Part[] {
  const clauses = [...new Set([...words, ...numbers, ...names].map(({ clause }) => clause))].sort((a, b) => a - b)
  const parts: Part[] = []
  for (const clause of clauses) {
    const own = {
      words: words.filter((one) => one.clause === clause),
      numbers: numbers.filter((one) => one.clause === clause),
      names: names.filter((one) => one.clause === clause),
    }
    parts.push(...splitAtAnd(own, text))
  }
  const whole: Part[] = []
  for (const own of parts) {
    const size = own.words.length + own.numbers.length + own.names.length
    const last = whole.at(-1)
    if (last && size < 2) {
      whole[whole.length - 1] = {
        words: [...last.words, ...own.words],
        numbers: [...last.numbers, ...own.numbers],
        names: [...last.names, ...own.names],
      }
    } else whole.push(own)
  }
  return whole
}

/** "Valid for 90 days and renewed 30 days before": two things, where each has a number or a name. */
function splitAtAnd(part: Part, text: string): readonly Part[] {
  const all = [...part.words, ...part.numbers, ...part.names]
  const from = Math.min(...all.map(({ at }) => at))
  const to = Math.max(...all.map(({ at }) => at))
  const and = text.indexOf(' and ', from)
  if (and < 0 || and > to) return [part]
  const [before, behind] = [(at: number) => at < and, (at: number) => at > and].map((isIn): Part => ({
    words: part.words.filter(({ at }) => isIn(at)),
    numbers: part.numbers.filter(({ at }) => isIn(at)),
    names: part.names.filter(({ at }) => isIn(at)),
  })) as [Part, Part]
  const isWhole = ({ words, numbers, names }: Part): boolean => words.length > 0 && numbers.length + names.length > 0
  return isWhole(before) && isWhole(behind) ? [before, behind] : [part]
}

interface Place {
  readonly terms: Terms
  /** With those of what the passage is called. */
  readonly stems: ReadonlySet<string>
  readonly text: string
}

const placeOf = (terms: Terms, subject: Terms): Place => ({
  terms,
  stems: new Set([...terms.words, ...subject.words].map(({ stem }) => stem)),
  text: `${terms.text}\n${subject.text}`,
})

function holds({ words, numbers, names }: Part, { terms, stems, text }: Place): boolean {
  const there = words.filter(({ stem }) => isThere(stem, stems) || (stem.length > 3 && text.includes(stem))).length
  const isBare = words.length <= 2 && numbers.length + names.length === 0
  if (there < words.length * (isBare ? 1 : MOST_WORDS)) return false
  if (names.some(({ name }) => !text.includes(name) && !text.includes(name.replaceAll('-', ' ')))) return false
  return numbers.every(({ value }) => terms.numbers.some((one) => one.value === value))
}

/** The word or name that a sentence begins with, where that may be its subject and is not what is to be done. */
function subjectOf({ text, words, names }: Terms): string | undefined {
  const hasSubject = /^\W*(?:the|a|an|each|every|this|that|all|some|no)\b/.test(text) || HAS_VERB.test(text)
  if (BEFORE_NO_SUBJECT.test(text) || !hasSubject) return undefined
  const [word, name] = [words[0], names[0]]
  return word && (!name || word.at < name.at) ? word.stem : name?.name
}

const HAS_VERB = /\b(?:is|are|was|were|has|have|had|does|did|can|could|will|would|must|should|may|might|needs?)\b/

/** Of what another sentence speaks of it is not said here, unless a pronoun stands for it. */
function findOther(part: Part, first: string, { terms, stems, text }: Place): string | undefined {
  const isFirst = part.words.some(({ stem }) => stem === first) || part.names.some(({ name }) => name === first)
  if (!isFirst || isLight(first) || PRONOUN.test(terms.text) || isThere(first, stems) || text.includes(first))
    return undefined
  return `the passage does not say it of "${first}"`
}

function findMixed(
  { words, names, numbers }: Part,
  whole: Whole,
  terms: Terms,
  called: ReadonlySet<string>,
): string | undefined {
  const part = {
    stems: words.map(({ stem }) => stem),
    asserted: words.flatMap(({ stem, negated }) => (negated ? [] : [stem])),
    names: names.map(({ name }) => name),
    numbers: numbers.map(({ value }) => value),
  }
  const mixed = mixedIn(part, whole, terms, called)
  return mixed === undefined ? undefined : `the passage says it of something else than "${mixed}"`
}

function findWrong(part: Part, said: Terms, terms: Terms): string | undefined {
  for (const number of part.numbers) {
    const same = terms.numbers.filter(({ value }) => value === number.value)
    const fits = same.some(
      ({ unit, head, rate }) =>
        sameRate(number.rate, rate) &&
        (sameUnit(number.unit, unit) || unit === undefined) &&
        (number.head === undefined || head === undefined || number.head === head || number.unit !== undefined),
    )
    if (!fits) return `${number.value} is not said of ${number.head ?? number.unit ?? 'this'} in the passage`
    const other = terms.numbers.find((one) => one.relation !== undefined && one.relation === number.relation)
    if (
      other !== undefined &&
      other.value !== number.value &&
      !same.some(({ relation }) => relation === number.relation) &&
      part.numbers.some(({ value }) => value === other.value)
    )
      return `the passage says it the other way round: ${number.relation} ${other.value}`
  }
  const places = new Set(part.numbers.map(({ value }) => terms.numbers.find((one) => one.value === value)?.clause))
  if (
    places.size > 1 &&
    part.numbers.every(({ clause }) => clause === part.numbers[0]?.clause) &&
    !isListed(part, said)
  )
    return 'the passage says the numbers of different things'
  for (const turn of said.turns) {
    if (!terms.turns.has(turn) && !isLight(turn) && isOf(turn, part)) return `the passage does not say "${turn}" of it`
  }
  return areTurnedRound(part, said, terms) ? 'the passage says it the other way round' : undefined
}

/** "500 items and 4 MB", "two of the twelve". */
const isListed = ({ numbers }: Part, { text }: Terms): boolean =>
  /\b(?:and|or|of)\b/.test(
    text.slice(Math.min(...numbers.map(({ at }) => at)), Math.max(...numbers.map(({ at }) => at))),
  )

const isOf = (turn: string, { words }: Part): boolean =>
  words.some(({ stem }) => stem === turn || turn.startsWith(stem))

/** Two names with the same word between them, in the other order, and neither in the passive. */
function areTurnedRound({ names, words }: Part, said: Terms, terms: Terms): boolean {
  for (const [i, first] of names.entries()) {
    for (const second of names.slice(i + 1)) {
      const [a, b] = [terms.text.indexOf(first.name), terms.text.indexOf(second.name)]
      if (a < 0 || b < 0 || b > a) continue
      const between = words.filter(({ at }) => at > first.at && at < second.at)
      const shared = between.some(({ stem }) =>
        terms.words.some((one) => one.stem === stem && one.at > b && one.at < a),
      )
      const passive = (text: string, from: number, to: number) => / by /.test(text.slice(from, to))
      if (shared && passive(said.text, first.at, second.at) === passive(terms.text, b, a)) return true
    }
  }
  return false
}
