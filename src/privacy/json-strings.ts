// Walks the strings (and callers' numbers) of a JSON text that hold one of the given places, and tells for each where it stands: its key, its
// region, its path. Only as far as the last place; nothing is parsed, and nesting costs memory but no stack.
import { isDigit } from './characters.ts'
import { regionOf, type Region, stringKind } from './surfaces.ts'

export interface JsonString {
  /** The first character inside the quotes, and the closing quote; of a number, its first digit and what follows it. */
  readonly start: number
  readonly end: number
  readonly isNumber: boolean
  readonly kind: 'text' | 'verbatim'
  /** The member's name where every member is somebody's data (then it says what the value is), else empty. */
  readonly label: string
  /** `messages.2.content`; data of callers is not in it. */
  readonly field: string
  /** The member of the outermost object in which it stands. */
  readonly top: string
}

interface Level {
  readonly array: boolean
  readonly region: Region
  /** Under which this object or array stands. */
  readonly key: string
  readonly start: number
  /** Of the member that is being read, in an object. */
  member: string
  /** Of the element that is being read, in an array. */
  index: number
  expectsKey: boolean
}

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** `json` must be what JSON.parse accepts; anything else is walked without harm. `places` in order. */
export function stringsAt(
  json: string,
  places: readonly number[],
  outermost: Region,
  visit: (string: JsonString) => void,
): void {
  const levels: Level[] = []
  let place = 0
  let keyStart = 0
  for (let at = 0; at < json.length && place < places.length; at++) {
    const level = levels.at(-1)
    switch (json.charCodeAt(at)) {
      case 0x7b: // {
      case 0x5b: {
        // [
        const array = json.charCodeAt(at) === 0x5b
        const key = level ? keyIn(level) : ''
        const region = !level
          ? outermost
          : level.array
            ? level.region
            : regionOf(level.region, key, level.key, levels.length)
        levels.push({ array, region, key, start: at, member: '', index: 0, expectsKey: !array })
        break
      }
      case 0x7d: // }
      case 0x5d: // ]
        levels.pop()
        break
      case 0x2c: // ,
        if (level?.array) level.index++
        else if (level) level.expectsKey = true
        break
      case QUOTE: {
        const end = endOfString(json, at)
        if (level?.expectsKey) {
          level.expectsKey = false
          keyStart = at
          level.member = json.slice(at + 1, end)
          // A key may be data itself; a place behind it, at the colon, is of the value.
          if (level.region === 'free' && (places[place] ?? Infinity) < end) visit(describe(at, end, levels, 'text', ''))
          while ((places[place] ?? Infinity) < end) place++
        } else {
          const from = level && !level.array ? keyStart : at
          while ((places[place] ?? Infinity) < from) place++
          if ((places[place] ?? Infinity) < end) {
            const key = level ? keyIn(level) : ''
            const kind = stringKind(level?.region ?? outermost, key, () => siblingsOf(json, level, at, end))
            if (kind !== 'structure')
              visit(describe(at, end, levels, kind, (level?.region ?? outermost) === 'free' ? key : ''))
          }
          while ((places[place] ?? Infinity) < end) place++
        }
        at = end
        break
      }
      default: {
        // A number is data only where the caller named it: a card's, a telephone's.
        if (level?.region !== 'free' || !isDigit(json.charCodeAt(at))) break
        const end = endOfNumber(json, at)
        const from = level.array ? at : keyStart
        while ((places[place] ?? Infinity) < from) place++
        if ((places[place] ?? Infinity) < end)
          visit({ ...describe(at, end, levels, 'text', keyIn(level)), start: at, isNumber: true })
        at = end - 1
      }
    }
  }
}

function endOfNumber(json: string, from: number): number {
  let at = from
  while (isDigit(json.charCodeAt(at))) at++
  return at
}

/** Elements of a list go by the name of the list. */
const keyIn = (level: Level): string => (level.array ? level.key : level.member)

function describe(
  at: number,
  end: number,
  levels: readonly Level[],
  kind: 'text' | 'verbatim',
  label: string,
): JsonString {
  const path: string[] = []
  for (const level of levels) {
    if (level.region === 'free') break
    path.push(level.array ? String(level.index) : level.member)
    if (path.length === 12) break
  }
  return { start: at + 1, end, isNumber: false, kind, label, field: path.join('.'), top: levels[0]?.member ?? '' }
}

/** The object around a string, as far as it tells of which kind it is: before the string, and a little behind it. */
function siblingsOf(json: string, level: Level | undefined, at: number, end: number): string {
  const before = json.slice(Math.max(level?.start ?? 0, at - 300), at)
  // Cut first, then looked through: the brace may stand at the end of everything, and there may be very many strings.
  const behind = json.slice(end, end + 300)
  const close = behind.indexOf('}')
  return before + (close < 0 ? behind : behind.slice(0, close))
}

/** `from` is the opening quote. A quote ends the string unless an odd number of backslashes stands before it. */
function endOfString(json: string, from: number): number {
  let at = from
  for (;;) {
    at = json.indexOf('"', at + 1)
    if (at < 0) return json.length
    let backslashes = 0
    while (json.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++
    if (backslashes % 2 === 0) return at
  }
}
