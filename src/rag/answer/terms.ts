// What a sentence says, as far as it can be compared by code: its numbers with their units, its names and identifiers, its
// other words by their stems, which of those it negates, and the words that turn a meaning round (`before`, `increase`).

export interface Terms {
  readonly text: string
  readonly numbers: readonly NumberTerm[]
  /** Lower case: identifiers, paths, addresses, code, names in the middle of a sentence. */
  readonly names: readonly string[]
  /** Stems of words that carry meaning, in order. */
  readonly words: readonly WordTerm[]
  /** Words of pairs that mean the opposite. */
  readonly turns: ReadonlySet<string>
  /** Each of them with the next word that carries meaning: `after traffic`. */
  readonly turned: ReadonlySet<string>
}

export interface NumberTerm {
  readonly value: string
  readonly unit: string | undefined
  /** Which part of the sentence it stands in. */
  readonly clause: number
}

export interface WordTerm {
  readonly stem: string
  readonly negated: boolean
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
/** How many words with meaning a negation reaches. */
const REACH = 4

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
    ['million', 'million millions'],
    ['billion', 'billion billions'],
    ['thousand', 'thousand thousands'],
  ].flatMap(([unit = '', names = '']) => names.split(' ').map((name) => [name, unit])),
)

const SPELT: Readonly<Record<string, string>> = Object.fromEntries(
  'zero one two three four five six seven eight nine ten eleven twelve'.split(' ').map((word, i) => [word, String(i)]),
)

const TURNS: readonly (readonly [string, string])[] = [
  ['before', 'after'],
  ['above', 'below'],
  ['more', 'fewer'],
  ['more', 'less'],
  ['greater', 'less'],
  ['over', 'under'],
  ['higher', 'lower'],
  ['high', 'low'],
  ['maximum', 'minimum'],
  ['max', 'min'],
  ['most', 'least'],
  ['increas', 'decreas'],
  ['increas', 'reduc'],
  ['rais', 'lower'],
  ['enabl', 'disabl'],
  ['start', 'stop'],
  ['allow', 'forbid'],
  ['allow', 'den'],
  ['add', 'remov'],
  ['up', 'down'],
  ['first', 'last'],
  ['open', 'clos'],
  ['succe', 'fail'],
  ['healthy', 'unhealthy'],
  ['safe', 'unsafe'],
  ['valid', 'invalid'],
  ['possibl', 'impossibl'],
  ['always', 'never'],
  ['primary', 'replica'],
  ['leader', 'follower'],
  ['read', 'writ'],
  ['upgrad', 'downgrad'],
  ['scal up', 'scal down'],
  ['internal', 'external'],
  ['earl', 'lat'],
  ['improv', 'worsen'],
  ['synchronous', 'asynchronous'],
  ['required', 'optional'],
  ['ascend', 'descend'],
  ['encrypt', 'decrypt'],
  ['true', 'false'],
  ['full', 'empty'],
  ['new', 'old'],
  ['all', 'none'],
]
/** The opposites of a word or stem. */
export const OPPOSITES: ReadonlyMap<string, readonly string[]> = (() => {
  const map = new Map<string, string[]>()
  for (const [a, b] of TURNS) {
    map.set(a, [...(map.get(a) ?? []), b])
    map.set(b, [...(map.get(b) ?? []), a])
  }
  return map
})()

const FUNCTION_WORDS = new Set(
  (
    'get gets got make makes made use uses used using a about after again all also am an and any are as at be because been before being below above both but by can could did do does doing during each either few ' +
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
  const numbers: { value: string; unit: string | undefined; clause: number }[] = []
  const names: string[] = []
  const words: WordTerm[] = []
  const turns = new Set<string>()
  const turned = new Set<string>()
  let turn: string | undefined
  let clause = 0
  let reach = 0
  let begins = true
  const tokens = [...text.matchAll(TOKEN)]
  const markEnd = /^[\s#>*\d.|-]*/.exec(text)?.[0].length ?? 0
  for (const [i, { 0: token, index }] of tokens.entries()) {
    const lower = token.toLowerCase()
    if (/^[,;:()—–]$/.test(token)) {
      clause++
      if (token === ';' || token === ':') reach = 0
      continue
    }
    if (/^[+-]?\d/.test(token)) {
      const next = tokens[i + 1]
      const close = next !== undefined && next.index - index - token.length <= 1
      const unit = close ? UNITS[next[0].toLowerCase()] : undefined
      const sign = /[$€£]\s?$/.exec(text.slice(Math.max(0, index - 2), index))?.[0].trim()
      numbers.push({ value: plainNumber(token), unit: unit ?? (sign && UNITS[sign]), clause })
      begins = false
      continue
    }
    if (/^[%°‰$€£]$/.test(token)) continue
    const plain = lower.replaceAll("'", '')
    if (NEGATORS.has(plain) || lower.endsWith("n't")) {
      reach = REACH
      if (plain === 'never') turns.add('never')
      begins = false
      continue
    }
    if (lower === 'but' || lower === 'instead' || lower === 'sondern') {
      reach = 0
      clause++
    }
    const spelt = SPELT[plain]
    if (spelt !== undefined && plain !== 'one' && plain !== 'zero') {
      const next = tokens[i + 1]
      numbers.push({ value: spelt, unit: next && UNITS[next[0].toLowerCase()], clause })
      begins = false
      continue
    }
    const unitOfNumber = UNITS[lower] !== undefined && /\d\s?$|[a-z]\s$/.test(text.slice(Math.max(0, index - 2), index))
    if (unitOfNumber && numbers.at(-1)?.unit === UNITS[lower]) continue
    const stem = stemOf(plain)
    const bearing = !FUNCTION_WORDS.has(plain) && plain.length > 1
    if (turn !== undefined && bearing) {
      turned.add(`${turn} ${stem}`)
      turn = undefined
    }
    for (const word of [plain, stem]) {
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
      names.push(lower.replaceAll('`', '').trim())
    else if (bearing) {
      words.push({ stem, negated: reach > 0, clause, required: begins && isSubject(token, tokens[i + 1]?.[0] ?? '') })
      if (reach > 0) reach--
    }
    begins = false
  }
  return { text: text.toLowerCase(), numbers, names, words, turns, turned }
}

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

/** A light stemmer: plural and the endings of verbs. Wrong stems are wrong alike on both sides. */
function stemOf(word: string): string {
  let stem = word.replace(/'s?$/, '')
  if (stem.length <= 3) return stem
  stem = stem
    .replace(/(?:sses)$/, 'ss')
    .replace(/ies$/, 'y')
    .replace(/(?<![su])s$/, '')
  for (const ending of [
    'ations',
    'ation',
    'ments',
    'ment',
    'ingly',
    'edly',
    'ing',
    'ions',
    'ion',
    'ed',
    'ly',
    'er',
    'es',
    'e',
    'y',
  ]) {
    if (stem.endsWith(ending) && stem.length - ending.length >= 3) {
      stem = stem.slice(0, -ending.length)
      break
    }
  }
  return stem.replace(/([bdfgklmnprt])\1$/, '$1')
}
