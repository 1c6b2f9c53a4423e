// Whether two prompts that an embedding takes for the same could still want different answers. Embeddings hear what a
// text is about and are nearly deaf to what exactly it says: another number, name, quotation or identifier, a "not", a
// "before" in place of an "after", or a few words exchanged in otherwise the same sentence hardly move them. So these must
// agree, and only a text that is mostly reworded is left to the embedding. It errs towards no: a hit that is missed costs
// a call, a wrong one costs trust.
//
// The rules know words of English, German, French and Spanish. A text in a script that sets no spaces between words has
// no words to compare, and agrees with none.
import { FILLER_WORDS, HARD_WORDS, RELATIONS, TO_OF_AN_INFINITIVE } from './telling-words.ts'

/** What of a text has to agree, made once for each. */
export interface Traits {
  /** Numbers, quotations, identifiers, negations, opposites and relations, in order. */
  readonly hard: readonly string[]
  /** The other words that carry meaning, in order and small letters. */
  readonly words: readonly string[]
  /** Those of them that are names. */
  readonly names: readonly string[]
  /** It says of two things what the one is to the other: the order of its words matters. */
  readonly ordered: boolean
}

/** Longer texts agree with none: embedders clip them, and what differs may be anywhere. */
const MAX_CHARACTERS = 4_000

/** Quotations, numbers with their units, then words and whatever stands between spaces; single signs last. */
const TOKEN =
  /"[^"\n]+"|“[^”\n]+”|«[^»\n]+»|`[^`\n]+`|(?<![\p{L}\p{N}])'[^'\n]+'(?![\p{L}\p{N}])|[+-]?\d[\d.,:/%-]*[\p{L}\p{N}%°€$£]*|[\p{L}\p{N}_$@#./\\~][\p{L}\p{N}_$@#./\\:~^*=<>&|+'’-]*|[^\s\p{L}\p{N}]/gu
const QUOTED = /^["“«`']./u
/** Signs that only set a text out. */
const PUNCTUATION = /^[.,:;!?'’"()[\]{}/…–-]+$/u

/** Scripts that set no spaces between words. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u

/** undefined for a text that agrees with none. */
export function traitsOf(text: string): Traits | undefined {
  if (text.length > MAX_CHARACTERS || UNSPACED.test(text)) return undefined
  const hard: string[] = []
  const words: string[] = []
  const names: string[] = []
  let ordered = false
  let before = ''
  let begins = true
  for (const [found] of text.normalize('NFKC').matchAll(TOKEN)) {
    for (const token of partsOf(found)) {
      const small = token.toLowerCase()
      const relation = RELATIONS.has(small) && !(small === 'to' && TO_OF_AN_INFINITIVE.has(before))
      ordered ||= relation
      if (relation || HARD_WORDS.has(small)) hard.push(small)
      else if (isExact(token)) hard.push(exactly(token))
      else if (!RELATIONS.has(small) && !FILLER_WORDS.has(small)) {
        words.push(small)
        if (/^\p{Lu}/u.test(token) && (!begins || /^\p{Lu}{2}/u.test(token))) names.push(small)
      }
      before = small
      begins = false
    }
    begins ||= /[.:!?]$/.test(found)
  }
  return hard.length + words.length === 0 ? undefined : { hard, words, names, ordered }
}

/** Whether a kept answer to the one may be the answer to the other, if an embedding says so. */
export function agree(one: Traits, other: Traits): boolean {
  if (!equal(one.hard, other.hard)) return false
  if (!one.names.every((name) => other.words.includes(name))) return false
  if (!other.names.every((name) => one.words.includes(name))) return false
  return sayTheSame(one, other)
}

function sayTheSame(one: Traits, other: Traits): boolean {
  const left = [...other.words]
  let matched = 0
  for (const word of one.words) {
    const at = left.findIndex((candidate) => isOneWord(word, candidate))
    if (at === -1) continue
    left.splice(at, 1)
    matched++
  }
  const differing = Math.max(left.length, one.words.length - matched)
  if (differing > 0) return matched > 0 && matched < differing
  if (!one.ordered && !other.ordered) return true
  return one.words.every((word, i) => isOneWord(word, other.words[i] ?? ''))
}

/** A contraction is what it stands for, so that "don't" says "not"; what ends a sentence belongs to no word. */
function partsOf(found: string): string[] {
  if (QUOTED.test(found)) return [found]
  const token = found.replace(/[.,:'’/-]+$/u, '')
  if (token === '' || PUNCTUATION.test(token)) return []
  const negated = /^(\p{L}+?)n['’]t$/iu.exec(token)
  if (negated) return [negated[1] ?? '', 'not']
  if (/^cannot$/i.test(token)) return ['can', 'not']
  return [/^(\p{L}+)['’](?:s|re|ll|ve|d|m)$/iu.exec(token)?.[1] ?? token]
}

/** Anything but a plain word: it has to be the same to the letter. */
const isExact = (token: string): boolean =>
  QUOTED.test(token) || !/^\p{L}[\p{L}\p{M}'’-]*$/u.test(token) || /\p{Ll}\p{Lu}/u.test(token)

function exactly(token: string): string {
  if (QUOTED.test(token)) return token.slice(1, -1)
  return /^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$/.test(token) ? token.replaceAll(',', '') : token
}

const equal = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((token, i) => token === other[i])

/** The same word, also with another ending. */
function isOneWord(one: string, other: string): boolean {
  if (one === other) return true
  let same = 0
  while (same < one.length && one[same] === other[same]) same++
  return same >= 4 && Math.max(one.length, other.length) - same <= 3
}
