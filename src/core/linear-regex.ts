// Regular expressions whose time is bounded by text length times the size of the program that a pattern becomes, with its
// repetitions written out, times what stands in a class: a person's pattern is matched against strangers' text, and one
// `(a+)+$` must not stop the process. The syntax is the part of RE2 that people write in matchers, read as there:
// alternation, groups, classes, `. * + ? {m,n}`, `\d \w \s` and their opposites, `^ $`, and `(?i)` at the front. The rest
// is refused. Always anchored at both ends, as in Alertmanager and Prometheus.
// After R. Cox, Regular Expression Matching Can Be Simple And Fast (2007): Thompson's construction, simulated in sets.

type Test = (character: string) => boolean
type TextEnd = 'first' | 'last'

/** One step of the program; numbers are addresses in it. */
type Instruction =
  | { readonly kind: 'take'; readonly test: Test; readonly next: number }
  | { readonly kind: 'anchor'; readonly end: TextEnd; readonly next: number }
  | { readonly kind: 'fork'; readonly next: readonly number[] }
  | { readonly kind: 'match' }

type Node =
  | { readonly kind: 'take'; readonly test: Test }
  | { readonly kind: 'anchor'; readonly end: TextEnd }
  | { readonly kind: 'all'; readonly parts: readonly Node[] }
  | { readonly kind: 'any'; readonly choices: readonly Node[] }
  | { readonly kind: 'repeat'; readonly node: Node; readonly least: number; readonly most: number }

const MAX_PATTERN = 1000
const MAX_PROGRAM = 5000
const MAX_REPEAT = 200
const MAX_DEPTH = 50

/** Compiles a pattern to a function that says whether a whole text matches. Throws SyntaxError that says what is wrong. */
export function compileLinear(pattern: string): (text: string) => boolean {
  if (pattern.length > MAX_PATTERN) throw new SyntaxError(`is longer than ${MAX_PATTERN} characters`)
  const ignoreCase = pattern.startsWith('(?i)')
  const node = new Parser(ignoreCase ? pattern.slice(4) : pattern, ignoreCase).parse()
  const program = assemble(node)
  return (text) => run(program, text)
}

class Parser {
  readonly #characters: readonly string[]
  readonly #ignoreCase: boolean
  #at = 0

  constructor(pattern: string, ignoreCase: boolean) {
    this.#characters = Array.from(pattern)
    this.#ignoreCase = ignoreCase
  }

  parse(): Node {
    const node = this.#choices(0)
    if (this.#at < this.#characters.length) throw new SyntaxError('has a ) without a (')
    return node
  }

  #choices(depth: number): Node {
    if (depth > MAX_DEPTH) throw new SyntaxError('is nested too deeply')
    const choices = [this.#sequence(depth)]
    while (this.#skip('|')) choices.push(this.#sequence(depth))
    return choices.length === 1 && choices[0] ? choices[0] : { kind: 'any', choices }
  }

  #sequence(depth: number): Node {
    const parts: Node[] = []
    for (;;) {
      const next = this.#characters[this.#at]
      if (next === undefined || next === '|' || next === ')') return { kind: 'all', parts }
      this.#at++
      parts.push(this.#repeats(this.#atom(next, depth)))
    }
  }

  #atom(character: string, depth: number): Node {
    switch (character) {
      case '(': {
        if (this.#skip('?') && !this.#skip(':')) throw new SyntaxError('has a (?…) that is not known here')
        const node = this.#choices(depth + 1)
        if (!this.#skip(')')) throw new SyntaxError('has a ( without a )')
        return node
      }
      case '[':
        return { kind: 'take', test: this.#class() }
      case '.':
        return { kind: 'take', test: (given) => given !== '\n' }
      case '^':
        return { kind: 'anchor', end: 'first' }
      case '$':
        return { kind: 'anchor', end: 'last' }
      case '\\':
        return { kind: 'take', test: this.#testOf(this.#escape()) }
      case '*':
      case '+':
      case '?':
      case '{':
        throw new SyntaxError(`has a ${character} with nothing to repeat before it`)
      default:
        return { kind: 'take', test: this.#literal(character) }
    }
  }

  #repeats(node: Node): Node {
    let repeated = node
    for (let isFirst = true; ; isFirst = false) {
      const times = this.#times()
      if (!times) return repeated
      if (!isFirst) throw new SyntaxError('repeats a repetition; put it in ( )')
      // Greedy or not makes no difference to whether the whole text matches.
      this.#skip('?')
      repeated = { kind: 'repeat', node: repeated, ...times }
    }
  }

  #times(): { least: number; most: number } | undefined {
    if (this.#skip('*')) return { least: 0, most: Infinity }
    if (this.#skip('+')) return { least: 1, most: Infinity }
    if (this.#skip('?')) return { least: 0, most: 1 }
    if (this.#characters[this.#at] !== '{') return undefined
    const text = this.#characters.slice(this.#at, this.#at + 12).join('')
    const [all, low, comma, high] = /^\{(\d+)(?:(,)(\d*))?\}/.exec(text) ?? []
    if (all === undefined) throw new SyntaxError('has a { that is no repetition; write \\{')
    this.#at += all.length
    const least = Number(low)
    const most = comma === undefined ? least : high === '' ? Infinity : Number(high)
    if (least > MAX_REPEAT || (most !== Infinity && most > MAX_REPEAT) || least > most)
      throw new SyntaxError(`has ${all}; the first number must not be above the second, and none above ${MAX_REPEAT}`)
    return { least, most }
  }

  #class(): Test {
    const negated = this.#skip('^')
    const tests: Test[] = []
    for (let first = true; ; first = false) {
      const character = this.#characters[this.#at++]
      if (character === undefined) throw new SyntaxError('has a [ without a ]')
      if (character === ']' && !first) break
      if (character === '[' && this.#characters[this.#at] === ':')
        throw new SyntaxError(
          'has a [: inside of [ ], which is not known here; write a range, or \\[ for the character',
        )
      const from = character === '\\' ? this.#escape() : character
      const isRange = this.#characters[this.#at] === '-' && ![undefined, ']'].includes(this.#characters[this.#at + 1])
      // After `\d` a hyphen is one, as in RE2.
      if (isRange && typeof from === 'string') tests.push(this.#range(from))
      else tests.push(this.#testOf(from))
    }
    return negated ? (given) => !tests.some((test) => test(given)) : (given) => tests.some((test) => test(given))
  }

  /** What stands behind the hyphen is the last of the range. */
  #range(from: string): Test {
    this.#at++
    const character = this.#characters[this.#at++]
    const to = character === '\\' ? this.#escape() : character
    if (typeof to !== 'string' || codeOf(to) < codeOf(from))
      throw new SyntaxError(
        `has the range ${from}-${typeof to === 'string' ? to : `\\${this.#characters[this.#at - 1]}`}`,
      )
    return this.#between(from, to)
  }

  /** The character that is meant, or the class. */
  #escape(): string | RegExp {
    const character = this.#characters[this.#at++]
    if (character === undefined) throw new SyntaxError('ends in a \\')
    const named = CLASSES[character]
    if (named) return named
    if (Object.hasOwn(CONTROLS, character)) return CONTROLS[character] ?? ''
    if (/[a-zA-Z0-9]/.test(character)) throw new SyntaxError(`has \\${character}, which is not known here`)
    return character
  }

  #testOf(meant: string | RegExp): Test {
    return typeof meant === 'string' ? this.#literal(meant) : (given) => meant.test(given)
  }

  #literal(character: string): Test {
    if (!this.#ignoreCase) return (given) => given === character
    const lower = character.toLowerCase()
    return (given) => given.toLowerCase() === lower
  }

  #between(from: string, to: string): Test {
    const inside = (given: string) => codeOf(given) >= codeOf(from) && codeOf(given) <= codeOf(to)
    return this.#ignoreCase ? (given) => inside(given.toLowerCase()) || inside(given.toUpperCase()) : inside
  }

  #skip(character: string): boolean {
    if (this.#characters[this.#at] !== character) return false
    this.#at++
    return true
  }
}

const codeOf = (character: string): number => character.codePointAt(0) ?? 0

const CLASSES: Readonly<Record<string, RegExp>> = {
  d: /^[0-9]$/,
  D: /^[^0-9]$/,
  w: /^[0-9A-Za-z_]$/,
  W: /^[^0-9A-Za-z_]$/,
  s: /^[\t\n\f\r ]$/,
  S: /^[^\t\n\f\r ]$/,
}
const CONTROLS: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', f: '\f' }

function assemble(node: Node): readonly Instruction[] {
  const program: Instruction[] = [{ kind: 'match' }]
  const emit = (instruction: Instruction): number => {
    if (program.length >= MAX_PROGRAM) throw new SyntaxError('is too large once its repetitions are written out')
    return program.push(instruction) - 1
  }
  /** Writes what goes on at `next`; returns where it begins. Built from the end, so that every address is known. */
  const write = (one: Node, next: number): number => {
    switch (one.kind) {
      case 'take':
        return emit({ kind: 'take', test: one.test, next })
      case 'anchor':
        return emit({ kind: 'anchor', end: one.end, next })
      case 'all':
        return one.parts.reduceRight((after, part) => write(part, after), next)
      case 'any':
        return emit({ kind: 'fork', next: one.choices.map((choice) => write(choice, next)) })
      case 'repeat': {
        let after = next
        if (one.most === Infinity) {
          const ways = [0, next]
          after = emit({ kind: 'fork', next: ways })
          ways[0] = write(one.node, after)
        } else
          for (let i = one.least; i < one.most; i++)
            after = emit({ kind: 'fork', next: [write(one.node, after), next] })
        for (let i = 0; i < one.least; i++) after = write(one.node, after)
        return after
      }
    }
  }
  const start = write(node, 0)
  // The last one is where to begin.
  emit({ kind: 'fork', next: [start] })
  return program
}

function run(program: readonly Instruction[], text: string): boolean {
  const seen = new Uint32Array(program.length)
  let step = 1
  /** How much of the text has been read. */
  let position = 0
  const holds = (end: TextEnd): boolean => position === (end === 'first' ? 0 : text.length)
  const enter = (address: number, into: number[]): void => {
    const open = [address]
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (seen[at] === step) continue
      seen[at] = step
      const instruction = program[at]
      if (instruction?.kind === 'fork') open.push(...instruction.next)
      else if (instruction?.kind === 'anchor') {
        if (holds(instruction.end)) open.push(instruction.next)
      } else into.push(at)
    }
  }
  let current: number[] = []
  enter(program.length - 1, current)
  for (const character of text) {
    step++
    position += character.length
    const next: number[] = []
    for (const at of current) {
      const instruction = program[at]
      if (instruction?.kind === 'take' && instruction.test(character)) enter(instruction.next, next)
    }
    if (next.length === 0) return false
    current = next
  }
  return current.some((at) => program[at]?.kind === 'match')
}
