// What a sentence says, as far as it can be compared by code: its numbers with their units, its names and identifiers, its
// other words by their stems, which of those it negates, and the words that turn a meaning round (`before`, `increase`).
import { baseOf, OPPOSITES, SAME } from './lexicon.ts'
import { withoutEnding } from './word-ending.ts'

export interface Terms {
  readonly text: string
  readonly numbers: readonly NumberTerm[]
  /** Identifiers, paths, addresses, code, names in the middle of a sentence. */
  readonly names: readonly NameTerm[]
  /** Stems of words that carry meaning, in order. */
  readonly words: readonly WordTerm[]
  /** Words of pairs that mean the opposite. */
  readonly turns: ReadonlySet<string>
  /** Each of them with the next word that carries meaning: `after traffic`. */
  readonly turned: ReadonlySet<string>
  /** The clauses that begin with "if", "which", "it" and the like. */
  readonly dependent: ReadonlySet<number>
}

export interface NameTerm {
  /** Lower case. */
  readonly name: string
  /** Where it begins in `text`. */
  readonly at: number
  readonly clause: number
}

export interface NumberTerm {
  readonly value: string
  /** Where it begins in `text`. */
  readonly at: number
  readonly unit: string | undefined
  /** Which part of the sentence it stands in. */
  readonly clause: number
  /** The stem of what is counted, where it stands next: 24 *partitions*. */
  readonly head: string | undefined
  /** What stands before it and says which of two it is: *from* 210 *to* 164. */
  readonly relation: string | undefined
  /** The unit of time that it is for: 600 requests *a minute*. */
  readonly rate: string | undefined
}

export interface WordTerm {
  readonly stem: string
  /** Where it begins in `text`. */
  readonly at: number
  readonly negated: boolean
  /** It is what the negation stands before, or all that it can be of: nothing else is denied so surely. */
  readonly denied: boolean
  readonly clause: number
  /** What the sentence is about, by where it stands: no other word will do. */
  readonly required: boolean
}

const TOKEN =
  /`[^`\n]+`|(?:https?|ftp):\/\/[^\s<>"'`)\]]+|[+-]?\d[\d,.]*\d(?:e[+-]?\d+)?|\d|[\p{L}\p{M}_][\p{L}\p{M}\p{N}_'’]*(?:[./:@$#~-]+[\p{L}\p{N}_]+)*\p{M}*|[%°‰$€£]|[,;:()—–]|\/[\w./-]+|--?[a-z][\w-]*/giu

const NEGATORS = new Set(
  (
    'not no never none neither nor cannot without nothing nobody hardly unless avoid dont doesnt didnt isnt arent wasnt werent cant couldnt ' +
    'shouldnt wouldnt wont mustnt neednt havent hasnt hadnt nicht kein keine keinen keiner keinem nie niemals ohne ne pas jamais sans nunca sin jamás non mai'
  ).split(' '),
)
/** How many words with meaning a negation reaches: a verb with what belongs to it, or what stands behind "without" and "no". */
const REACH = 4
const REACH_OF_NOUN = 2
const NOUN_NEGATORS = new Set(['without', 'no', 'ohne', 'kein', 'keine', 'keinen', 'keiner', 'keinem', 'sans', 'sin'])
/** A clause that begins so is of the one beside it, or of what that speaks of. */
const DEPENDENT = new Set(
  'if when because since which that who whose as until unless where although though so it they them this these he she'.split(
    ' ',
  ),
)
const FOR_EACH = new Set(['a', 'an', 'per', 'each', 'every'])
const TIMES_OF = new Set(['ms', 's', 'min', 'h', 'd', 'week', 'month', 'year'])

const UNITS: Readonly<Record<string, string>> = Object.fromEntries(
  [
    ['ms', 'ms msec millisecond milliseconds'],
    ['us', 'us µs microsecond microseconds'],
    ['s', 's sec secs second seconds sekunden sekunde'],
    ['min', 'min mins minute minutes minuten'],
    ['h', 'h hr hrs hour hours stunde stunden'],
    ['d', 'd day days tag tage tagen'],
    ['week', 'week weeks woche wochen'],
    ['month', 'month months monat monate'],
    ['year', 'year years jahr jahre'],
    ['%', '% percent pct prozent'],
    ['b', 'byte bytes'],
    ['kb', 'kb kilobyte kilobytes'],
    ['kib', 'kib ki'],
    ['mb', 'mb megabyte megabytes'],
    ['mib', 'mib mi'],
    ['gb', 'gb gigabyte gigabytes'],
    ['gib', 'gib gi'],
    ['tb', 'tb terabyte terabytes'],
    ['tib', 'tib ti'],
    ['m', 'm meter meters metre metres'],
    ['km', 'km kilometer kilometers kilometre kilometres'],
    ['kg', 'kg kilogram kilograms'],
    ['mg', 'mg'],
    ['mm', 'mm'],
    ['hz', 'hz'],
    ['$', '$ usd dollar dollars'],
    ['€', '€ eur euro euros'],
    ['£', '£ gbp pound pounds'],
    ['million', 'million millions'],
    ['billion', 'billion billions'],
    ['thousand', 'thousand thousands'],
  ].flatMap(([unit = '', names = '']) => names.split(' ').map((name) => [name, unit])),
)

const SPELT: Readonly<Record<string, string>> = Object.fromEntries(
  [
    ...'zero one two three four five six seven eight nine ten eleven twelve'
      .split(' ')
      .map((word, i) => [word, i] as const),
    ...'twenty thirty forty fifty sixty seventy eighty ninety hundred'
      .split(' ')
      .map((word, i) => [word, 20 + 10 * i] as const),
  ].map(([word, value]) => [word, String(value)]),
)
/** How often, as a number of times. */
const TIMES: Readonly<Record<string, string>> = { once: '1', twice: '2', thrice: '3' }
const RELATIONS = new Set('from to after before above below over under until since between than'.split(' '))
const SCALES = new Set(['thousand', 'million', 'billion'])
const CURRENCIES = new Set(['$', '€', '£'])
/** "No more than three" denies nothing. */
const BOUND = /^(?:more|less|fewer|longer|later|earlier|sooner|higher|lower|only)$/
/** Behind a comma they begin what a negation does not reach. */
const CONJUNCTION = /^(?:and|because|but|so|which|while|as|since|if|then|although|though)$/

const FUNCTION_WORDS = new Set(
  (
    'get gets got make makes made a about after again all also am an and any are as at be because been before being below above both but by can could did do does doing during each either every few ' +
    'for from further had has have having he her here his how however i if in into is it its itself just may me might more most must my no nor not of off on once only ' +
    'or other our out over own same shall she should so some such than that the their them then there therefore these they this those through thus to too under until up us ' +
    'very was we were what when where whether which while who whom whose why will with within would you your yours according based passage passages document documents source sources text ' +
    'der die das den dem des ein eine einen einem einer und oder ist sind war waren mit von zu auf für im in am an bei es sie er wir ihr le la les un une des du de et est sont el los las una y es'
  ).split(' '),
)

/** Never the whole of what stands before a word: that would cost the square of the length. */
const LOOK_BACK = 32

export function readTerms(sentence: string): Terms {
  const text = sentence.normalize('NFKC').replaceAll('’', "'")
  const numbers: NumberTerm[] = []
  const names: NameTerm[] = []
  const words: WordTerm[] = []
  const turns = new Set<string>()
  const turned = new Set<string>()
  let turn: string | undefined
  let clause = 0
  let reach = 0
  let open = false
  const dependent = new Set<number>()
  const clauseBegins = (first: string | undefined): void => {
    if (DEPENDENT.has(first?.toLowerCase() ?? '')) dependent.add(clause)
  }
  /** A negation that nothing follows ("writes are not") is of what stands before it in its clause. */
  const closeNegation = (): void => {
    if (!open) return
    open = false
    for (const [i, word] of words.entries())
      if (word.clause === clause) words[i] = { ...word, negated: true, denied: true }
  }
  let begins = true
  const tokens = [...text.matchAll(TOKEN)]
  clauseBegins(tokens[0]?.[0])
  const markEnd = /^[\s#>*\d.|-]*/.exec(text)?.[0].length ?? 0
  const count = (value: string, i: number, unit: string | undefined): void => {
    if (turn !== undefined) turned.add(`${turn} ${value}`)
    turn = undefined
    const before = tokens[i - 1]?.[0].toLowerCase() ?? ''
    const relation = RELATIONS.has(before) ? before : undefined
    numbers.push({
      value,
      at: tokens[i]?.index ?? 0,
      unit,
      clause,
      head: headOf(tokens, i + 1),
      relation,
      rate: rateOf(tokens, i + 1),
    })
  }
  for (const [i, { 0: token, index }] of tokens.entries()) {
    const lower = token.toLowerCase()
    const next = tokens[i + 1]
    if (/^[,;:()—–]$/.test(token)) {
      closeNegation()
      clause++
      clauseBegins(next?.[0])
      if (token === ';' || token === ':' || CONJUNCTION.test(next?.[0].toLowerCase() ?? '')) reach = 0
      continue
    }
    if (/^[+-]?\d/.test(token)) {
      const close = next !== undefined && next.index - index - token.length <= 1
      const sign = /[$€£]\s?$/.exec(text.slice(Math.max(0, index - 2), index))?.[0].trim()
      count(plainNumber(token), i, unitBehind(tokens, close ? i + 1 : tokens.length, sign && UNITS[sign]))
      begins = false
      continue
    }
    if (/^[%°‰$€£]$/.test(token)) continue
    const plain = lower.replaceAll("'", '')
    if (NEGATORS.has(plain) || lower.endsWith("n't")) {
      if (!BOUND.test(next?.[0].toLowerCase() ?? '') || !/^(?:than|only)$/i.test(boundEnd(tokens, i))) {
        // "Do not delete it without asking" wants asking.
        const twice = plain === 'without' && words.some(({ negated }) => negated)
        reach = NOUN_NEGATORS.has(plain) ? (twice ? 0 : REACH_OF_NOUN) : REACH
        open = !twice
      }
      if (plain === 'never') turns.add('never')
      begins = false
      continue
    }
    if (lower === 'but' || lower === 'instead' || lower === 'sondern' || lower === 'while' || lower === 'whereas') {
      closeNegation()
      reach = 0
      clause++
    } else if (lower === 'because') reach = 0
    const times = TIMES[plain]
    if (
      times !== undefined &&
      (plain !== 'once' || (tokens[i - 1]?.[0].toLowerCase() !== 'at' && isEnd(text, next, index + 4)))
    ) {
      numbers.push({
        value: times,
        at: index,
        unit: undefined,
        clause,
        head: 'time',
        relation: undefined,
        rate: undefined,
      })
      begins = false
      continue
    }
    const spelt = SPELT[plain]
    if (spelt !== undefined && (plain === 'one' || plain === 'zero' ? isCounting(next) : true)) {
      count(spelt, i, unitBehind(tokens, i + 1, undefined))
      begins = false
      continue
    }
    const unit = UNITS[lower]
    const unitOfNumber = unit !== undefined && /\d\s?$|[a-z]\s$/.test(text.slice(Math.max(0, index - 2), index))
    if (unitOfNumber && numbers.at(-1)?.unit?.split(' ').includes(unit)) continue
    const stem = stemOf(plain)
    const bearing = !FUNCTION_WORDS.has(plain) && plain.length > 1
    if (turn !== undefined && bearing) {
      turned.add(`${turn} ${stem}`)
      turn = undefined
    }
    for (const word of new Set([plain, stem])) {
      if (!OPPOSITES.has(word)) continue
      turns.add(word)
      turn = word
    }
    if (
      isName(
        token,
        begins || index <= markEnd || /(?:[.!?]\s+|")$/.test(text.slice(Math.max(0, index - LOOK_BACK), index)),
      )
    )
      names.push({ name: lower.replaceAll('`', '').trim(), at: index, clause })
    else if (bearing) {
      const required = begins && isSubject(token, next?.[0] ?? '')
      words.push({ stem, at: index, negated: reach > 0, denied: open, clause, required })
      open = false
      if (reach > 0) reach--
    }
    begins = false
  }
  closeNegation()
  return { text: text.toLowerCase(), numbers, names, words, turns, turned, dependent }
}

type Tokens = readonly RegExpExecArray[]

/** A unit, or a scale with its currency: `million €`. */
function unitBehind(tokens: Tokens, at: number, sign: string | undefined): string | undefined {
  const unit = UNITS[tokens[at]?.[0].toLowerCase() ?? '']
  if (unit === undefined || !SCALES.has(unit)) return unit ?? sign
  const next = UNITS[tokens[at + 1]?.[0].toLowerCase() ?? '']
  const currency = sign ?? (next !== undefined && CURRENCIES.has(next) ? next : undefined)
  return currency === undefined ? unit : `${unit} ${currency}`
}

/** What is counted, where it stands next, behind the unit. */
function headOf(tokens: Tokens, from: number): string | undefined {
  let at = from
  while (UNITS[tokens[at]?.[0].toLowerCase() ?? ''] !== undefined) at++
  const word = tokens[at]?.[0].toLowerCase() ?? ''
  return /^\p{L}{2,}$/u.test(word) && !FUNCTION_WORDS.has(word) && SPELT[word] === undefined ? stemOf(word) : undefined
}

/** Of "600 requests a minute", the minute. */
function rateOf(tokens: Tokens, from: number): string | undefined {
  for (let at = from; at < from + 3; at++) {
    const unit = UNITS[tokens[at + 1]?.[0].toLowerCase() ?? '']
    if (FOR_EACH.has(tokens[at]?.[0].toLowerCase() ?? '') && unit !== undefined && TIMES_OF.has(unit)) return unit
  }
  return undefined
}

/** "One tablet", "one hour"; not "one after the other". */
const isCounting = (next: RegExpExecArray | undefined): boolean =>
  next !== undefined && /^\p{L}{2,}$/u.test(next[0]) && !FUNCTION_WORDS.has(next[0].toLowerCase())

const isEnd = (text: string, next: RegExpExecArray | undefined, at: number): boolean =>
  next === undefined || /^[\s]*[.,;:!?)]/.test(text.slice(at))

/** The word at which "no more than" would end. */
const boundEnd = (tokens: Tokens, at: number): string =>
  tokens[at + 1]?.[0].toLowerCase() === 'only' ? 'only' : (tokens[at + 2]?.[0] ?? '')

/** A capital at the beginning says nothing by itself, but before another name or before its verb it is one. */
const isSubject = (token: string, next: string): boolean =>
  /^\p{Lu}/u.test(token) &&
  (/^\p{Lu}\p{Ll}+$/u.test(next) ||
    /^(?:is|are|was|were|has|have|had|does|do|can|will|must|should|may|stores?|keeps?|uses?|holds?|runs?)$/.test(next))

/** What is written as no ordinary word is: it has to occur as it stands. */
function isName(token: string, first: boolean): boolean {
  if (token.startsWith('`')) return true
  if (/^https?:/i.test(token) || /[_@/$#~\d]|\.\w|:\w|::|\p{L}-\p{L}/u.test(token) || token.startsWith('-')) return true
  if (/\p{Ll}\p{Lu}/u.test(token) || /^\p{Lu}{2,}s?$/u.test(token)) return true
  return !first && /^\p{Lu}/u.test(token) && !/^I('|$)/.test(token)
}

const plainNumber = (token: string): string => {
  const joined = token.replace(/^\+/, '').replaceAll(/,(?=\d{3}(?:\D|$))/g, '')
  return /^-?\d+\.\d+$/.test(joined) ? String(Number(joined)) : joined.replace(/^0+(?=\d)/, '')
}

function stemOf(word: string): string {
  const stem = withoutEnding(baseOf(word))
  return SAME.get(stem) ?? stem
}
