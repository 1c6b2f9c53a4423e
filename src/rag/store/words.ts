// Words as both indexes see them. Identifiers are found whole and by their parts: `KubePodCrashLooping` is one word to a
// tokenizer, so its parts are written beside it; snake_case, dots and hyphens are separators to every tokenizer already.

/** Runs of letters, digits and the marks on them: what the tokenizers of both databases keep. */
export const WORD = /[\p{L}\p{N}\p{M}]+/gu

/** Between a small letter and a capital, before the last capital of several (`HTTPServer`), and between letters and digits. */
const SEAM = /(?<=\p{Ll})(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})|(?<=\p{L})(?=\p{N})|(?<=\p{N})(?=\p{L})/u

const LONGEST_WORD = 200

/** The parts of what is written together, or nothing where it is one word. */
export function partsOf(word: string): readonly string[] {
  if (word.length > LONGEST_WORD) return []
  const parts = word.split(SEAM)
  return parts.length > 1 ? parts.filter((part) => part.length > 1 || /\p{N}/u.test(part)) : []
}

/** What is indexed beside a text: the parts of the identifiers in it, in order. */
export function identifierParts(text: string): string {
  const found: string[] = []
  for (const [word] of text.matchAll(WORD)) found.push(...partsOf(word))
  return found.join(' ')
}

export interface Term {
  readonly text: string
  /** How much it counts: a part of an identifier says less than the whole. */
  readonly part: boolean
}

/** A question may be a pasted log: what is behind this is not read, and of very many words those in the middle are left out. */
const MAX_CHARACTERS = 200_000
const MAX_TERMS = 2_000

/**
 * The different words of a question, lower case, each once, in order of first use, at most `MAX_TERMS`. Function words are left
 * out unless there is nothing else. Identifiers come with their parts.
 */
export function queryTerms(words: string): readonly Term[] {
  const all = new Map<string, Term>()
  for (const [word] of words.slice(0, MAX_CHARACTERS).matchAll(WORD)) {
    if (word.length > LONGEST_WORD) continue
    add(all, word, false)
    for (const part of partsOf(word)) add(all, part, true)
  }
  const telling = [...all.values()].filter(({ text }) => !FUNCTION_WORDS.has(text))
  const terms = telling.length > 0 ? telling : [...all.values()]
  return terms.length > MAX_TERMS ? [...terms.slice(0, MAX_TERMS / 2), ...terms.slice(-MAX_TERMS / 2)] : terms
}

function add(terms: Map<string, Term>, word: string, part: boolean): void {
  const text = word.toLowerCase()
  const known = terms.get(text)
  if (!known || (known.part && !part)) terms.set(text, { text, part })
}

/** English function words and the words of asking. Short: BM25 itself knows which words are common in a collection. */
const FUNCTION_WORDS: ReadonlySet<string> = new Set(
  (
    'a about after all also am an and any are as at be because been before being but by can could did do does doing done ' +
    'for from had has have having he her him his how i if in into is it its just me more most my no nor not of off on ' +
    'or our out over own she should so some such than that the their them then there these they this those through to ' +
    'too under until up us very was we were what when where which while who whom whose why will with would you your'
  ).split(' '),
)

/** Every word of a text, lower case and without accents. */
export function wordsOf(text: string): readonly string[] {
  const letters = text
    .normalize('NFD')
    .replaceAll(/[\u0300-\u036f]+/g, '')
    .normalize('NFC')
    .toLowerCase()
  return Array.from(letters.matchAll(WORD), ([word]) => word).filter((word) => word.length <= LONGEST_WORD)
}
