// The tokens of a log line as they are written one behind the other. Values that belong together become one as they come: a date
// out of its parts, a range, an address and its port, a list, a quantity that is told a second time in brackets.
import { isOfCalendar, VARIABLE } from './log-values.ts'

/** A mark of punctuation, a word, a word with a variable in it, a variable, a number with its unit. */
export type TokenKind = 'mark' | 'word' | 'shape' | 'variable' | 'quantity'

export interface Tokens {
  readonly texts: string[]
  readonly kinds: TokenKind[]
  /** Whether a space stood before the token. */
  readonly gaps: boolean[]
}

/** The tokens as one text, spaced as the line was. */
export function textOf({
  texts,
  gaps,
}: {
  readonly texts: readonly string[]
  readonly gaps: readonly boolean[]
}): string {
  let text = ''
  for (let i = 0; i < texts.length; i++) text += (i > 0 && gaps[i] ? ' ' : '') + texts[i]
  return text
}

/** Between two variables these make one of them: in dates, ranges, lists, ports. */
const JOINING = new Set(',|#-:/+.&_;@~*><')

export class TokenWriter implements Tokens {
  readonly texts: string[] = []
  readonly kinds: TokenKind[] = []
  readonly gaps: boolean[] = []
  /** Whether a space was read since the last token. */
  gap = false

  push(text: string, kind: TokenKind): void {
    this.texts.push(text)
    this.kinds.push(kind)
    this.gaps.push(this.gap)
    this.gap = false
  }

  /** A variable, or a word with one: behind its like, or in one list with it, it is the same. */
  pushVariable(text: string, kind: 'shape' | 'variable' | 'quantity'): void {
    if (kind !== 'shape') while (this.kindAt(1) === 'word' && isOfCalendar(this.textAt(1))) this.#drop(1)
    // The fields of a record, as in 0|com.example|0|17.
    if (this.#isMark(1, '|') && this.#isMark(3, '|') && this.kindAt(2) === 'word' && this.#isLike(4, text))
      this.#drop(3)
    if (this.kindAt(1) === 'mark' && JOINING.has(this.textAt(1).charAt(0)) && this.#isLike(2, text)) this.#drop(1)
    if (this.#isLike(1, text)) this.gap = false
    else this.push(text, kind)
  }

  /** A closing bracket; `before`: the character before it. Brackets that hold nothing hold a value that is empty. */
  close(mark: string, before: string): void {
    const open = mark === ')' ? '(' : mark === ']' ? '[' : '{'
    // But () behind a word is a function's.
    if (before === open && this.#isMark(1, open) && (open !== '(' || this.gaps.at(-1))) this.push(VARIABLE, 'variable')
    // As in 18846 bytes (18.4 KB).
    if (mark === ')' && this.kindAt(1) === 'quantity' && this.#isMark(2, '(') && this.kindAt(3) === 'quantity') {
      this.#drop(2)
      this.gap = false
    } else this.push(mark, 'mark')
  }

  endsInVariable(): boolean {
    return this.kindAt(1) === 'variable' || this.kindAt(1) === 'quantity'
  }

  /** The number that was written last has a unit. */
  addUnit(): void {
    this.kinds[this.kinds.length - 1] = 'quantity'
    this.gap = false
  }

  kindAt(back: number): TokenKind | undefined {
    return this.kinds[this.kinds.length - back]
  }

  textAt(back: number): string {
    return this.texts[this.texts.length - back] ?? ''
  }

  #isMark(back: number, mark: string): boolean {
    return this.textAt(back) === mark && this.kindAt(back) === 'mark'
  }

  #isLike(back: number, text: string): boolean {
    const kind = this.kindAt(back)
    return kind !== undefined && kind !== 'mark' && kind !== 'word' && this.textAt(back) === text
  }

  #drop(count: number): void {
    for (let i = 0; i < count; i++) {
      this.texts.pop()
      this.kinds.pop()
      this.gap = this.gaps.pop() ?? false
    }
  }
}
