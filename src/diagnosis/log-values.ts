// Where values begin and end inside a log line, by the ways in which programs print them: paths, addresses, hosts, and the words
// that belong to a number (units, the names of months and days). Nothing here knows any one system.

export const VARIABLE = '<*>'

const SPACE = 1
const LETTER = 2
const DIGIT = 3
/** Joins the parts of a word when it stands between two of its characters. */
const JOINT = 4
export const CHAR = { other: 0, space: SPACE, letter: LETTER, digit: DIGIT, joint: JOINT } as const

const CLASSES = new Uint8Array(128)
CLASSES.fill(SPACE, 0, 33)
CLASSES.fill(DIGIT, 48, 58)
CLASSES.fill(LETTER, 65, 91)
CLASSES.fill(LETTER, 97, 123)
CLASSES[95] = LETTER
for (const mark of ".-/\\@$'~+%") CLASSES[mark.charCodeAt(0)] = JOINT

/** The class of the character; the end of the line is a space. Letters of every script are letters. */
export function classAt(line: string, at: number): number {
  if (at >= line.length) return SPACE
  const code = line.charCodeAt(at)
  if (code < 128) return CLASSES[code] ?? CHAR.other
  return code === 0xa0 || code === 0x3000 || code === 0x2028 ? SPACE : LETTER
}

/** Whether a word can go on with this character. */
export function isWordPart(line: string, at: number): boolean {
  const kind = classAt(line, at)
  return kind === LETTER || kind === DIGIT || (line.charCodeAt(at) === 60 && line.startsWith(VARIABLE, at))
}

/** Whether the character is one of a hexadecimal number that is no digit. */
export const isHexLetter = (code: number): boolean => (code >= 97 && code <= 102) || (code >= 65 && code <= 70)

const ENDS_PATH = new Set(Array.from(',;"\')]}>|', (mark) => mark.charCodeAt(0)))

/** Where a path or a URL ends that is known to have begun before. */
export function endOfPath(line: string, from: number): number {
  let at = from
  for (; at < line.length; at++) {
    const code = line.charCodeAt(at)
    if (classAt(line, at) === SPACE) break
    if (ENDS_PATH.has(code) && !line.startsWith(VARIABLE, at - VARIABLE.length + 1)) break
    // The stop or colon of a sentence, not of a name.
    if ((code === 58 || code === 46) && classAt(line, at + 1) === SPACE) break
  }
  return at
}

/** Where an address in colons (MAC, IPv6) ends that begins here; 0 when none does. */
export function endOfColons(line: string, from: number): number {
  const colon = line.indexOf(':', from)
  if (colon < from || colon > from + 4) return 0
  let at = from
  let colons = 0
  let doubled = false
  let digits = false
  for (; at < line.length; at++) {
    const code = line.charCodeAt(at)
    if (code === 58) {
      colons++
      if (line.charCodeAt(at + 1) === 58) doubled = true
    } else if (code >= 48 && code <= 57) digits = true
    else if (!isHexLetter(code)) break
  }
  if (colons < 5 && !(doubled && digits && colons >= 2)) return 0
  if (line.charCodeAt(at - 1) === 58) at--
  return isWordPart(line, at) ? 0 : at
}

const listed = (words: string): ReadonlySet<string> => new Set(words.split(' '))

const UNITS = listed(
  'b kb mb gb tb pb kib mib gib tib byte bytes bit bits bps kbps mbps gbps ns us ms s sec secs second seconds msec usec millis ' +
    'millisecond milliseconds microsecond microseconds nanosecond nanoseconds m min mins minute minutes h hr hrs hour hours ' +
    'd day days hz khz mhz ghz percent am pm utc gmt',
)
/** Whether a word behind a number is its unit. */
export const isUnit = (word: string): boolean => UNITS.has(word.toLowerCase())

const CALENDAR = listed(
  'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec January February March April June July August September October November ' +
    'December Mon Tue Wed Thu Fri Sat Sun Monday Tuesday Wednesday Thursday Friday Saturday Sunday',
)
/** Whether a word before a number may be part of a date. */
export const isOfCalendar = (word: string): boolean => CALENDAR.has(word)

const LITERALS = listed('true false True False TRUE FALSE null NULL nil')
/** Whether the word is how a language prints a truth value or nothing. */
export const isLiteral = (word: string): boolean => LITERALS.has(word)

const NAMERS = listed('user username host hostname')
/** Whether the word announces that a name follows. */
export const announcesName = (word: string): boolean => NAMERS.has(word.toLowerCase())

const GLUE = listed('from by at in on is has was not to with and or for of the are be will does did can')
/** Whether the word is never the name that was announced. */
export const isGlue = (word: string): boolean => GLUE.has(word)

const TOP_DOMAINS = listed('com net org edu gov mil int info biz io local localdomain internal lan arpa')
/** Whether a dotted word is a host: one with a port behind it, or under a well-known domain. Package names only begin with one. */
export function isHost(line: string, from: number, end: number): boolean {
  if (line.charCodeAt(end) === 58 && classAt(line, end + 1) === DIGIT) return true
  const dot = line.lastIndexOf('.', end - 1)
  return dot > from && TOP_DOMAINS.has(line.slice(dot + 1, end))
}
