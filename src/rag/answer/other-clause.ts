// "Accidents are reported within 24 hours, near misses within a week": all words of "near misses are reported within 24 hours" stand in it,
// and it says something else. So a part of a sentence may take words from beside the clause that it is of only where that clause
// borrows them itself, as a second one borrows from the first, or where the one beside it is no equal of it ("if", "which").
import { isLight } from './lexicon.ts'
import type { Terms } from './terms.ts'

export interface PartWords {
  readonly stems: readonly string[]
  /** Of those, what is not negated. */
  readonly asserted: readonly string[]
  readonly names: readonly string[]
  readonly numbers: readonly string[]
}

interface Clause {
  readonly at: number
  readonly keys: ReadonlySet<string>
  readonly denied: ReadonlySet<string>
  readonly numbers: ReadonlySet<string>
  readonly dependent: boolean
}

/** Of the whole sentence that a part is of. */
export interface Whole {
  readonly keys: ReadonlySet<string>
  readonly numbers: ReadonlySet<string>
}

/** What of another clause is mixed in; undefined where nothing is. */
export function mixedIn(
  { stems, asserted, names, numbers }: PartWords,
  whole: Whole,
  said: Terms,
  subject: ReadonlySet<string>,
): string | undefined {
  const clauses = clausesOf(said)
  if (clauses.length < 2) return undefined
  const keys = [...stems, ...names].filter((key) => !isLight(key) && !subject.has(key))
  const own = findOwn(clauses, keys, numbers)
  if (!own) return undefined
  const opposed = asserted.find((stem) => own.denied.has(stem))
  if (opposed !== undefined) return opposed
  const foreign = keys.filter((key) => !own.keys.has(key) && clauses.some((one) => one.keys.has(key)))
  const beside = clauses.filter((one) => one !== own && foreign.some((key) => one.keys.has(key)))
  if (beside.length === 0) return undefined
  const isOnlyOwn = (key: string): boolean => !beside.some((one) => one.keys.has(key))
  const borrows = beside.every(({ at }) => at < own.at) && keys.some((key) => own.keys.has(key) && isOnlyOwn(key))
  if (borrows) return undefined
  // The clause beside it has a number of its own: that would be the one to name.
  const counted = beside.find((one) => [...one.numbers].some((n) => !whole.numbers.has(n) && !own.numbers.has(n)))
  if (counted) return foreign.find((key) => counted.keys.has(key))
  // What its own clause is about was left out for it.
  const equals = !own.dependent && beside.every((one) => !one.dependent)
  const replaced = equals && [...own.keys].some((key) => !isLight(key) && isOnlyOwn(key) && !whole.keys.has(key))
  return replaced ? foreign[0] : undefined
}

/** With its numbers, or else with most of its words. */
function findOwn(clauses: readonly Clause[], keys: readonly string[], numbers: readonly string[]): Clause | undefined {
  if (numbers.length > 0) {
    const all = clauses.filter((one) => numbers.every((number) => one.numbers.has(number)))
    return all.length === 1 ? all[0] : undefined
  }
  const shared = (one: Clause): number => keys.filter((key) => one.keys.has(key)).length
  return [...clauses].sort((a, b) => shared(b) - shared(a))[0]
}

/** Between commas, and at an "and" with numbers on both sides. */
function clausesOf({ text, words, names, numbers, dependent }: Terms): readonly Clause[] {
  const terms = [
    ...words.map(({ stem, at, clause, denied }) => ({ key: stem, number: undefined, at, clause, denied })),
    ...names.map(({ name, at, clause }) => ({ key: name, number: undefined, at, clause, denied: false })),
    ...numbers.map(({ value, at, clause }) => ({ key: undefined, number: value, at, clause, denied: false })),
  ].sort((a, b) => a.at - b.at)
  const found: Clause[] = []
  for (const clause of new Set(terms.map((one) => one.clause))) {
    const inside = terms.filter((one) => one.clause === clause)
    const and = andBetween(text, inside)
    const pieces = and < 0 ? [inside] : [inside.filter(({ at }) => at < and), inside.filter(({ at }) => at > and)]
    for (const piece of pieces) {
      const asserted = new Set(piece.flatMap(({ key, denied }) => (denied ? [] : (key ?? []))))
      found.push({
        at: piece[0]?.at ?? 0,
        keys: new Set(piece.flatMap(({ key }) => key ?? [])),
        denied: new Set(
          piece.flatMap(({ key, denied }) => (denied && key !== undefined && !asserted.has(key) ? [key] : [])),
        ),
        numbers: new Set(piece.flatMap(({ number }) => number ?? [])),
        dependent: dependent.has(clause),
      })
    }
  }
  return found
}

function andBetween(
  text: string,
  terms: readonly { readonly at: number; readonly number: string | undefined }[],
): number {
  const numbers = terms.filter(({ number }) => number !== undefined)
  const from = numbers[0]?.at ?? -1
  const and = from < 0 ? -1 : text.indexOf(' and ', from)
  return numbers.some(({ at }) => at > and) ? and : -1
}
