// Tells people on a terminal what happens: plain words in 80 columns, colour only on a terminal and never with
// NO_COLOR, and one line that may change in place while something is waited for.
import { styleText } from 'node:util'

/** Where the words go: standard output, or a test's list. */
export interface Stage {
  readonly write: (text: string) => void
  /** Whether a line can be rewritten. */
  readonly rewrites: boolean
  readonly colours: boolean
}

type Tone = 'plain' | 'bold' | 'dim' | 'good' | 'bad' | 'notice'

export interface Narrator {
  /** A paragraph, wrapped. Later lines are indented as far as the first. */
  say(text: string, tone?: Tone): void
  /** "12:03:41  text", wrapped beside the time. */
  event(atMs: number, text: string, tone?: Tone): void
  /** `- text`, wrapped. */
  item(text: string): void
  /** A word and what it stands for, in two columns. */
  pair(label: string, text: string): void
  gap(): void
  /** Replaces the changing line. On something that is no terminal nothing is shown: there it would only pile up. */
  status(text: string): void
}

const WIDTH = 80

export function createNarrator(stage: Stage): Narrator {
  let statusShown = false
  const clearStatus = () => {
    if (statusShown) stage.write('\r\u001B[2K')
    statusShown = false
  }
  const paint = (tone: Tone, text: string): string => (stage.colours ? colour(tone, text) : text)
  const print = (text: string) => {
    clearStatus()
    stage.write(`${text}\n`)
  }
  const block = (first: string, indent: number, text: string, tone: Tone) => {
    const [head = '', ...rest] = wrap(text, WIDTH - indent)
    print([first + paint(tone, head), ...rest.map((line) => ' '.repeat(indent) + paint(tone, line))].join('\n'))
  }
  return {
    say: (text, tone = 'plain') => block('  ', 2, text, tone),
    event: (atMs, text, tone = 'plain') => block(`  ${paint('dim', clockTime(atMs))}  `, 12, text, tone),
    item: (text) => block('    - ', 6, text, 'plain'),
    pair: (label, text) => block(`  ${paint('dim', label.padEnd(12))}`, 14, text, 'plain'),
    gap: () => print(''),
    status: (text) => {
      if (!stage.rewrites) return
      clearStatus()
      if (text === '') return
      stage.write(`  ${paint('dim', text.slice(0, WIDTH - 3))}`)
      statusShown = true
    },
  }
}

/** Standard output as a stage. */
export function terminalStage(): Stage {
  const { stdout } = process
  const rewrites = stdout.isTTY
  // hasColors() knows NO_COLOR.
  return { write: (text) => void stdout.write(text), rewrites, colours: rewrites && stdout.hasColors() }
}

function colour(tone: Tone, text: string): string {
  switch (tone) {
    case 'plain':
      return text
    case 'bold':
      return paintAs('bold', text)
    case 'dim':
      return paintAs('dim', text)
    case 'good':
      return paintAs('green', text)
    case 'bad':
      return paintAs('red', text)
    case 'notice':
      return paintAs('yellow', text)
  }
}

const paintAs = (format: 'bold' | 'dim' | 'green' | 'red' | 'yellow', text: string): string =>
  styleText(format, text, { validateStream: false })

const clockTime = (ms: number): string => new Date(ms).toLocaleTimeString('en-GB', { hour12: false })

/** Words into lines of at most `width`; a word that is longer stands alone. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

export const counted = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`
