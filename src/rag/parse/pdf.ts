// PDF: the text of each page in the order it is drawn in, lines by their height on the page, headings by type that is
// clearly larger than the body's. Text that nobody sees, or of no visible size, is left out.
import { getDocumentProxy } from 'unpdf'
import { AppError } from '../../core/errors.ts'
import { followDrawing, withoutHidden } from './hidden-in-pdf.ts'
import type { Parsed } from './parsed.ts'
import { TextBuilder } from './text-builder.ts'

const MOST_PAGES = 5000
const MOST_CHARACTERS = 16 * 1024 * 1024
const SMALLEST_TYPE = 1.5
const HEADING_FACTOR = 1.15
const LONGEST_HEADING = 120
/** More sizes than these are decoration, and all of the last level. */
const MOST_LEVELS = 4

interface Line {
  text: string
  readonly size: number
  readonly y: number
  readonly page: number
}

export async function parsePdf(bytes: Uint8Array): Promise<Parsed> {
  const pdf = await open(bytes)
  try {
    if (pdf.numPages > MOST_PAGES) throw new AppError('too_large', `It has more than ${MOST_PAGES} pages. Split it.`)
    const lines: Line[] = []
    let characters = 0
    for (let number = 1; number <= pdf.numPages; number++) {
      const page = await pdf.getPage(number)
      const items = (await page.getTextContent()).items as readonly Item[]
      const { fnArray, argsArray } = await page.getOperatorList()
      const drawn = await followDrawing(fnArray, argsArray)
      const seen = withoutHidden(
        items.map(({ str = '' }) => str),
        drawn,
      )
      const shown = items.map((item, i) => ({ ...item, str: seen[i] ?? '' }))
      for (const line of linesOf(shown, number)) {
        characters += line.text.length
        lines.push(line)
      }
      if (characters > MOST_CHARACTERS) throw new AppError('too_large', 'It has more than 16 MiB of text. Split it.')
      page.cleanup()
    }
    if (characters === 0) {
      throw new AppError(
        'malformed',
        'The PDF has no text; it may be a scan. Run text recognition (OCR) over it first.',
      )
    }
    return blocksOf(lines)
  } finally {
    await pdf.loadingTask.destroy()
  }
}

async function open(bytes: Uint8Array): ReturnType<typeof getDocumentProxy> {
  try {
    return await getDocumentProxy(bytes, {
      disableFontFace: true,
      useSystemFonts: false,
      verbosity: 0,
      // Pictures are not asked for, and unpacking them would take most of the time.
      maxImageSize: 1,
    })
  } catch (cause) {
    const isEncrypted = cause instanceof Error && cause.name === 'PasswordException'
    const message = isEncrypted
      ? 'The PDF is encrypted. Save it without a password.'
      : 'The PDF is damaged and cannot be read. Export it again.'
    throw new AppError('malformed', message, { cause })
  }
}

interface Item {
  readonly str?: string
  readonly transform?: readonly number[]
  readonly height?: number
  readonly hasEOL?: boolean
}

function linesOf(items: readonly Item[], page: number): Line[] {
  const lines: Line[] = []
  let open: Line | undefined
  for (const { str = '', transform = [], hasEOL } of items) {
    const size = Math.hypot(transform[2] ?? 0, transform[3] ?? 0)
    const y = transform[5] ?? 0
    if (str !== '' && (str.trim() === '' ? open !== undefined : size >= SMALLEST_TYPE)) {
      if (open && Math.abs(open.y - y) > Math.max(open.size, size) / 2) {
        lines.push(open)
        open = undefined
      }
      if (open) open.text += str
      else if (str.trim() !== '') open = { text: str, size, y, page }
    }
    if (hasEOL && open) {
      lines.push(open)
      open = undefined
    }
  }
  if (open) lines.push(open)
  return lines
}

function blocksOf(lines: readonly Line[]): Parsed {
  const out = new TextBuilder()
  const body = bodySize(lines)
  const sizes = [...new Set(lines.filter((line) => isHeading(line, body)).map((line) => Math.round(line.size)))].sort(
    (a, b) => b - a,
  )
  let paragraph: string[] = []
  let last: Line | undefined
  const flush = (): void => {
    // A word that was divided at the end of a line is one word again.
    const text = paragraph.join('\n').replaceAll(/(\p{Ll})-\n(?=\p{Ll})/gu, '$1')
    if (last) out.add({ kind: 'paragraph', page: last.page }, text)
    paragraph = []
  }
  for (const line of lines) {
    if (isHeading(line, body)) {
      flush()
      const level = Math.min(sizes.indexOf(Math.round(line.size)) + 1, MOST_LEVELS)
      out.add({ kind: 'heading', level, words: line.text.trim(), page: line.page }, line.text)
    } else {
      const isNew = last && (last.page !== line.page || Math.abs(last.y - line.y) > line.size * 1.7)
      if (isNew) flush()
      paragraph.push(line.text.trim())
    }
    last = line
  }
  flush()
  const title = out.blocks.find((block) => block.kind === 'heading' && block.level === 1)
  return { text: out.text, blocks: out.blocks, title: title?.words }
}

/** The size that most characters are in. */
function bodySize(lines: readonly Line[]): number {
  const characters = new Map<number, number>()
  for (const { size, text } of lines)
    characters.set(Math.round(size), (characters.get(Math.round(size)) ?? 0) + text.length)
  return [...characters].reduce((most, one) => (one[1] > most[1] ? one : most), [0, 0])[0]
}

const isHeading = (line: Line, body: number): boolean =>
  line.size > body * HEADING_FACTOR && line.text.length <= LONGEST_HEADING && /\p{L}/u.test(line.text)
