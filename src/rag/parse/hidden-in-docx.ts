// Takes out of a Word document's XML the runs of text that Word does not show: marked as vanished, white on white, or of next to no
// size, by themselves or by their style. One walk over the tags; what is on a ground of its own (a cell, a paragraph or a run that
// is shaded, a table with a style) is taken for visible.

interface Look {
  readonly vanish?: boolean | undefined
  readonly white?: boolean | undefined
  readonly tiny?: boolean | undefined
}

/** By the id of the style. */
export type HiddenStyles = ReadonlyMap<string, Look>

const TAG = /<(\/?)w:(\w+)([^<>]*)>/g
/** In half points. */
const SMALLEST_SIZE = 3
/** Styles are based on one another, and may be so in a circle. */
const DEEPEST = 20

export function hiddenStylesIn(styles: string): HiddenStyles {
  const own = new Map<string, Look>()
  const bases = new Map<string, string>()
  let open = ''
  for (const { name, attributes, closing } of tagsOf(styles)) {
    if (name === 'style') open = closing ? '' : (valueOf(attributes, 'styleId') ?? '')
    else if (name === 'basedOn' && open !== '') bases.set(open, valueOf(attributes) ?? '')
    else if (open !== '' && !closing) own.set(open, lookOf(name, attributes, own.get(open) ?? {}))
  }
  const whole = (id: string, depth: number): Look => {
    const base = bases.get(id)
    return { ...(base !== undefined && depth < DEEPEST ? whole(base, depth + 1) : {}), ...own.get(id) }
  }
  return new Map([...own.keys(), ...bases.keys()].map((id) => [id, whole(id, 0)]))
}

export function withoutHiddenRuns(xml: string, styles: HiddenStyles): string {
  const kept: string[] = []
  let at = 0
  const grounds: boolean[] = []
  const runs: { readonly start: number; look: Look; shaded: boolean }[] = []
  let paragraph: { look: Look; shaded: boolean } = { look: {}, shaded: false }
  for (const { name, attributes, closing, empty, start, end } of tagsOf(xml)) {
    const run = runs.at(-1)
    if (name === 'tbl' || name === 'tc') {
      if (closing) grounds.pop()
      else if (!empty) grounds.push(false)
    } else if (name === 'p' && !closing) paragraph = { look: {}, shaded: false }
    else if (name === 'r' && !closing && !empty) runs.push({ start, look: paragraph.look, shaded: paragraph.shaded })
    else if (name === 'r' && closing) {
      runs.pop()
      if (run && run.start >= at && isHidden(run.look, run.shaded || grounds.includes(true))) {
        kept.push(xml.slice(at, run.start))
        at = end
      }
    } else if (name === 'tblStyle' && !closing) grounds[grounds.length - 1] = true
    else if (name === 'pStyle') paragraph.look = { ...paragraph.look, ...styles.get(valueOf(attributes) ?? '') }
    else if ((name === 'shd' && !isWhite(valueOf(attributes, 'fill') ?? 'auto')) || name === 'highlight') {
      if (run) run.shaded = true
      else if (grounds.length > 0) grounds[grounds.length - 1] = true
      else paragraph.shaded = true
    } else if (run && name === 'rStyle') run.look = { ...run.look, ...styles.get(valueOf(attributes) ?? '') }
    else if (run && !closing) run.look = lookOf(name, attributes, run.look)
  }
  return kept.join('') + xml.slice(at)
}

const isHidden = ({ vanish, white, tiny }: Look, shaded: boolean): boolean =>
  vanish === true || tiny === true || (white === true && !shaded)

function lookOf(name: string, attributes: string, look: Look): Look {
  const value = valueOf(attributes)
  switch (name) {
    case 'vanish':
    case 'specVanish': {
      return { ...look, vanish: value === undefined || /^(?:1|true|on)$/.test(value) }
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

/** Or so near to it that it cannot be read on paper. */
const isWhite = (colour: string): boolean => colour === 'auto' || /^(?:f[0-9a-f]){3}$/i.test(colour)

function valueOf(attributes: string, name = 'val'): string | undefined {
  return new RegExp(`\\bw:${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`)
    .exec(attributes)
    ?.slice(1)
    .find((one) => one !== undefined)
}

function* tagsOf(xml: string) {
  for (const { 0: tag, 1: slash, 2: name = '', 3: attributes = '', index } of xml.matchAll(TAG))
    yield { name, attributes, closing: slash === '/', empty: tag.endsWith('/>'), start: index, end: index + tag.length }
}
