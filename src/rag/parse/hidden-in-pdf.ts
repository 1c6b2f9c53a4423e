// Which characters of a PDF's page nobody sees: drawn by a mode that paints nothing, in the colour of what is behind them, or quite
// transparent. A page is a list of drawing operations; they are followed as far as that takes. Pictures are not looked at,
// which would take seconds: where most of a page looks hidden it is made so (a scan with its recognised text, white on a
// picture), and nothing of it is taken for hidden.
import { getResolvedPDFJS } from 'unpdf'

export interface Drawn {
  /** In the order of drawing, as `compact` writes them. */
  readonly text: string
  /** Of each UTF-16 unit of `text`. */
  readonly hidden: readonly boolean[]
}

/** Without white space and presentation forms, character by character: what can be compared. */
const compact = (text: string): string => Array.from(text, compactOne).join('')
const compactOne = (character: string): string => character.normalize('NFKC').replaceAll(/\s/g, '')

type Matrix = readonly [number, number, number, number, number, number]
type Box = readonly [left: number, bottom: number, right: number, top: number]

interface State {
  readonly matrix: Matrix
  readonly mode: number
  /** `#rrggbb`; null for what is no plain colour. */
  readonly fill: string | null
  readonly alpha: number
}

const START: State = { matrix: [1, 0, 0, 1, 0, 0], mode: 0, fill: '#000000', alpha: 1 }
const PAPER = '#ffffff'
/** Paints nothing, or only cuts out. */
const UNSEEN_MODES = new Set([3, 7])
const SEEN_FROM = 0.05
/** Of each part of a colour; nearer than that no eye tells them apart. */
const ALIKE = 10
const MOST_BOXES = 300
/** From such a share on it is how the page is made. */
const MADE_SO = 0.5

/** `operations` and `values` as pdf.js lists them. */
export async function followDrawing(operations: readonly number[], values: readonly unknown[]): Promise<Drawn> {
  const { OPS } = await getResolvedPDFJS()
  const saved: State[] = []
  const boxes: { readonly box: Box; readonly colour: string | null }[] = []
  const texts: string[] = []
  const hidden: boolean[] = []
  let state = START
  let line: Matrix = START.matrix
  for (const [i, operation] of operations.entries()) {
    const args = asList(values[i])
    switch (operation) {
      case OPS.save:
      case OPS.paintFormXObjectBegin:
        saved.push(state)
        if (operation !== OPS.save && args[0]) state = { ...state, matrix: times(asMatrix(args[0]), state.matrix) }
        break
      case OPS.restore:
      case OPS.paintFormXObjectEnd:
        state = saved.pop() ?? START
        break
      case OPS.transform:
        state = { ...state, matrix: times(asMatrix(args), state.matrix) }
        break
      case OPS.setTextRenderingMode:
        state = { ...state, mode: Number(args[0]) }
        break
      case OPS.setFillRGBColor:
        state = { ...state, fill: typeof args[0] === 'string' ? args[0] : null }
        break
      case OPS.setFillColorN:
      case OPS.setFillTransparent:
        state = { ...state, fill: null }
        break
      case OPS.setGState:
        for (const [key, value] of asList(args[0]).map(asList))
          if (key === 'ca') state = { ...state, alpha: Number(value) }
        break
      case OPS.beginText:
        line = START.matrix
        break
      case OPS.setTextMatrix:
        line = asMatrix(args[0])
        break
      case OPS.moveText:
      case OPS.setLeadingMoveText:
        line = times([1, 0, 0, 1, Number(args[0]), Number(args[1])], line)
        break
      case OPS.constructPath:
        if (FILLS.has(Number(args[0])) && state.alpha > SEEN_FROM) {
          if (boxes.length === MOST_BOXES) boxes.shift()
          boxes.push({ box: boxOf(asList(args[2]).map(Number), state.matrix), colour: state.fill })
        }
        break
      case OPS.showText: {
        const text = compact(asList(args[0]).map(unicodeOf).join(''))
        const [, , , , x, y] = times(line, state.matrix)
        const behind = boxes.findLast(({ box }) => isWithin(x, y, box))
        const unseen =
          UNSEEN_MODES.has(state.mode) ||
          (state.mode !== 1 &&
            (state.alpha < SEEN_FROM || isAlike(state.fill, behind === undefined ? PAPER : behind.colour)))
        texts.push(text)
        for (let unit = 0; unit < text.length; unit++) hidden.push(unseen)
        break
      }
    }
  }
  const most = hidden.filter(Boolean).length > hidden.length * MADE_SO
  return { text: texts.join(''), hidden: most ? hidden.map(() => false) : hidden }
}

/** pdf.js: fill, eoFill, fillStroke, eoFillStroke, closeFillStroke, closeEOFillStroke. */
const FILLS = new Set([22, 23, 24, 25, 26, 27])

/** How far on what was read may stand from what was read before it: pdf.js reads nothing beside the page. */
const LOOK_AHEAD = 5_000

/**
 * Texts as they were read from the page, without what is hidden. One that was not drawn so, in that order (writing from the right),
 * is left out where it stands in something hidden as it is.
 */
export function withoutHidden(texts: readonly string[], { text, hidden }: Drawn): readonly string[] {
  if (!hidden.includes(true)) return texts
  const unseen = text
    .split('')
    .map((unit, i) => (hidden[i] ? unit : '\n'))
    .join('')
  let from = 0
  return texts.map((one) => {
    const plain = compact(one)
    if (plain === '') return one
    const found = text.slice(from, from + plain.length + LOOK_AHEAD).indexOf(plain)
    if (found < 0) return plain.length > 1 && unseen.includes(plain) ? '' : one
    let at = from + found
    from = at + plain.length
    return Array.from(one)
      .filter((character) => {
        const { length } = compactOne(character)
        at += length
        return length === 0 || hidden[at - length] !== true
      })
      .join('')
  })
}

const asList = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : ArrayBuffer.isView(value) ? Array.from(value as Float32Array) : []

function asMatrix(value: unknown): Matrix {
  const [a = 1, b = 0, c = 0, d = 1, e = 0, f = 0] = asList(value).map(Number)
  return [a, b, c, d, e, f]
}

const times = ([a, b, c, d, e, f]: Matrix, [p, q, r, s, t, u]: Matrix): Matrix => [
  a * p + b * r,
  a * q + b * s,
  c * p + d * r,
  c * q + d * s,
  e * p + f * r + t,
  e * q + f * s + u,
]

function boxOf([left = 0, bottom = 0, right = 0, top = 0]: readonly number[], matrix: Matrix): Box {
  const corners = [
    [left, bottom],
    [right, bottom],
    [left, top],
    [right, top],
  ].map(([x = 0, y = 0]) => times([1, 0, 0, 1, x, y], matrix))
  const xs = corners.map((corner) => corner[4])
  const ys = corners.map((corner) => corner[5])
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)]
}

/** A base line may lie on the edge. */
const isWithin = (x: number, y: number, [left, bottom, right, top]: Box): boolean =>
  x >= left - 2 && x <= right + 2 && y >= bottom - 2 && y <= top + 2

function isAlike(a: string | null, b: string | null): boolean {
  const [one, other] = [a, b].map((colour) => /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})$/i.exec(colour ?? '')?.slice(1))
  if (!one || !other) return false
  return one.every((part, i) => Math.abs(Number.parseInt(part, 16) - Number.parseInt(other[i] ?? '', 16)) < ALIKE)
}

const unicodeOf = (glyph: unknown): string =>
  typeof glyph === 'object' && glyph !== null && 'unicode' in glyph && typeof glyph.unicode === 'string'
    ? glyph.unicode
    : ''
