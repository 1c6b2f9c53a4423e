// Takes out of a Word document's XML the runs of text that Word does not show: marked as vanished, white on white, or of next to no
// size, by themselves or by their style. One walk over the tags; what is on a ground of its own (a cell, a paragraph or a run that
// is shaded, a table with a style) is taken for visible.

interface Look {
  readonly vanish?: boolean | undefined
  readonly white?: boolean | undefined
  readonly tiny?: boolean | undefined
}

export interface HiddenStyles {
  readonly byId: ReadonlyMap<string, Look>
  /** Of what names no style. */
  readonly ofParagraphs: Look
}

/** A comment and a verbatim section are text, whatever looks like a tag in them, and so is what stands in quotes. */
const TAG = /<!--[^]*?(?:-->|$)|<!\[CDATA\[[^]*?(?:\]\]>|$)|<(\/?)w:(\w+)((?:[^<>"']|"[^"<]*"|'[^'<]*')*)>/g
/** In half points. */
const SMALLEST_SIZE = 3
/** Styles are based on one another, and may be so in a circle. */
const DEEPEST = 20

export function hiddenStylesIn(styles: string): HiddenStyles {
  const own = new Map<string, Look>()
  const bases = new Map<string, string>()
  let open = ''
  let ofParagraphs: string | undefined
  for (const { name, attributes, closing } of currentTagsOf(styles)) {
    if (name === 'style') {
      open = closing ? '' : (valueOf(attributes, 'styleId') ?? '')
      if (open !== '') own.set(open, {})
      if (!closing && valueOf(attributes, 'type') === 'paragraph' && isOn(valueOf(attributes, 'default') ?? '0'))
        ofParagraphs = open
    } else if (name === 'basedOn' && open !== '') bases.set(open, valueOf(attributes) ?? '')
    else if (open !== '' && !closing) own.set(open, lookOf(name, attributes, own.get(open) ?? {}))
  }
  const whole = (id: string, depth: number): Look => {
    const base = bases.get(id)
    return { ...(base !== undefined && depth < DEEPEST ? whole(base, depth + 1) : {}), ...own.get(id) }
  }
  return {
    byId: new Map([...own.keys()].map((id) => [id, whole(id, 0)])),
    ofParagraphs: ofParagraphs === undefined ? {} : whole(ofParagraphs, 0),
  }
}

/** A paragraph or a run that is open. A run may hold paragraphs, in a text box, whose own looks are none of its. */
interface Open {
  readonly kind: 'p' | 'r'
  readonly start: number
  look: Look
  shaded: boolean
}

export function withoutHiddenRuns(xml: string, styles: HiddenStyles): string {
  const hidden: Range[] = []
  const grounds: boolean[] = []
  const open: Open[] = []
  const plain = { look: styles.ofParagraphs, shaded: false }
  for (const { name, attributes, closing, empty, start, end } of currentTagsOf(xml)) {
    const top = open.at(-1)
    const [run, paragraph] = top?.kind === 'r' ? [top, undefined] : [undefined, top]
    if (name === 'tbl' || name === 'tc') {
      if (closing) grounds.pop()
      else if (!empty) grounds.push(false)
    } else if (name === 'p' && !empty) {
      if (closing) open.pop()
      else open.push({ kind: 'p', start, ...plain })
    } else if (name === 'r' && !empty) {
      if (!closing) {
        const { look, shaded } = open.findLast(({ kind }) => kind === 'p') ?? plain
        open.push({ kind: 'r', start, look, shaded })
      } else {
        open.pop()
        if (run && isHidden(run.look, run.shaded || grounds.includes(true))) hidden.push({ start: run.start, end })
      }
    } else if (name === 'tblStyle' && !closing) grounds[grounds.length - 1] = true
    else if (isShade(name, attributes)) {
      if (run) run.shaded = true
      else if (grounds.length > 0) grounds[grounds.length - 1] = true
      else if (paragraph) paragraph.shaded = true
    } else if (paragraph && name === 'pStyle')
      paragraph.look = styles.byId.get(valueOf(attributes) ?? '') ?? styles.ofParagraphs
    else if (run && name === 'rStyle') run.look = { ...run.look, ...styles.byId.get(valueOf(attributes) ?? '') }
    else if (run && !closing) run.look = lookOf(name, attributes, run.look)
  }
  return without(xml, hidden)
}

interface Range {
  readonly start: number
  readonly end: number
}

/** What is cut may lie within what is cut. */
function without(xml: string, ranges: readonly Range[]): string {
  const kept: string[] = []
  let at = 0
  for (const { start, end } of ranges.toSorted((a, b) => a.start - b.start)) {
    if (start > at) kept.push(xml.slice(at, start))
    at = Math.max(at, end)
  }
  return kept.join('') + xml.slice(at)
}

function isShade(name: string, attributes: string): boolean {
  if (name === 'shd') return !isWhite(valueOf(attributes, 'fill') ?? 'auto')
  return name === 'highlight' && !/^(?:none|white)?$/.test(valueOf(attributes) ?? '')
}

const isHidden = ({ vanish, white, tiny }: Look, shaded: boolean): boolean =>
  vanish === true || tiny === true || (white === true && !shaded)

function lookOf(name: string, attributes: string, look: Look): Look {
  const value = valueOf(attributes)
  switch (name) {
    case 'vanish':
    case 'specVanish': {
      return { ...look, vanish: isOn(value ?? '1') }
    }
    case 'color': {
      return { ...look, white: value !== undefined && value !== 'auto' && isWhite(value) }
    }
    case 'sz': {
      return { ...look, tiny: Number(value) <= SMALLEST_SIZE }
    }
    default: {
      return look
    }
  }
}

const isOn = (value: string): boolean => /^(?:1|true|on)$/.test(value)

/** Or so near to it that it cannot be read on paper. */
const isWhite = (colour: string): boolean => colour === 'auto' || /^(?:f[0-9a-f]){3}$/i.test(colour)

function valueOf(attributes: string, name = 'val'): string | undefined {
  return new RegExp(`\\bw:${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`)
    .exec(attributes)
    ?.slice(1)
    .find((one) => one !== undefined)
}

/** Without what Word remembers of the time before a tracked change: it is not how the text looks. */
function* currentTagsOf(xml: string) {
  let depth = 0
  for (const tag of tagsOf(xml)) {
    if (tag.name.endsWith('PrChange')) {
      if (!tag.empty) depth += tag.closing ? -1 : 1
    } else if (depth === 0) yield tag
  }
}

function* tagsOf(xml: string) {
  for (const { 0: tag, 1: slash, 2: name, 3: attributes = '', index } of xml.matchAll(TAG)) {
    if (name === undefined) continue
    yield { name, attributes, closing: slash === '/', empty: tag.endsWith('/>'), start: index, end: index + tag.length }
  }
}
