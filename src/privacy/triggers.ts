// The places in a text at which a rule may begin. Two expressions find them, each with so few first characters that V8
// steps over everything else sixteen characters at a time (with one expression, or a character class of more, it cannot):
// ordinary text costs half a nanosecond a character. They also run over the raw bytes of a JSON body, as Latin-1; so they
// allow for bytes of UTF-8 and for backslashes, and must let through whatever a rule would find in the decoded string.

/** `name=`, `"name": `: the last two letters of the names that announce a secret, then quotes and spaces. */
const ANNOUNCED = String.raw`[:=](?<=(?:[rRwW][dD]|[dD][sS]|[sSdD][eE]|[rReE][tT]|[eE][yY]|[eE][nN]|[aA][lL][sS]?|[hH\u00b1\u00f1][aA])["'\x60\\ \t]{0,8}[:=])`

const SIGNS = new RegExp(
  [
    // Six more characters of a number: nothing shorter is a card, a telephone number or an address of a machine.
    String.raw`[0-9](?=[0-9 .()\/\u0080-\uffff-]{6})`,
    // An IBAN's check digits; `ya29.`
    String.raw`[0-9](?<=[A-Za-z]{2}[0-9])(?=[0-9][A-Za-z0-9 \u0080-\uffff-])`,
    String.raw`2(?<=ya2)(?=9\.)`,
    // A prefix and the rest of a token; a PEM block.
    String.raw`[-_](?<=[A-Za-z0-9][-_])(?=[\w-]{16})`,
    String.raw`-(?=----BEGIN )`,
    String.raw`@(?=[\w\u0080-\uffff])`,
    String.raw`%(?=40)`,
    ANNOUNCED,
    // Two colons with at most four hexadecimals between, the first two of their row; an escape before them is no part of it.
    String.raw`:(?<=(?:^|[^0-9a-fA-F:.]|\\[bf]|\\u[0-9a-fA-F]{4})[0-9a-fA-F]{0,4}:)(?=[0-9a-fA-F]{0,4}:)`,
  ].join('|'),
  'g',
)

const LETTERS =
  /[wW](?<=[pP][aA][sS][sS].)|[bB](?=[eE][aA][rR][eE][rR])|K(?<=AK)(?=IA)|S(?<=AS)(?=IA)|S(?=G\.)|z(?<=AIz)(?=a)|J(?<=eyJ)/g

/** What JSON can hide from the expressions above: characters of ASCII, no-break spaces and dashes as `\uXXXX`. */
const ESCAPES = /\\(?=u(?:00[2-7aA]|201[0-3]|202[fF]))/g

/** Calls `at` with the places in order of each expression; it says from where to go on. */
export function eachTrigger(text: string, at: (index: number) => number): void {
  each(SIGNS, text, at)
  each(LETTERS, text, at)
}

/** Every place of a JSON text where something may be found once its strings are decoded, in order. */
export function triggersInJson(json: string, from = 0, to = json.length): number[] {
  const places: number[] = []
  const part = from === 0 && to === json.length ? json : json.slice(from, to)
  for (const pattern of [SIGNS, LETTERS, ESCAPES]) {
    each(pattern, part, (index) => {
      places.push(from + index)
      return index + 1
    })
  }
  return places.length < 2 ? places : places.sort((a, b) => a - b)
}

function each(pattern: RegExp, text: string, at: (index: number) => number): void {
  pattern.lastIndex = 0
  while (pattern.test(text)) {
    // Whatever `at` does, it does not use this expression.
    const index = pattern.lastIndex - 1
    pattern.lastIndex = Math.max(index + 1, at(index))
  }
}
