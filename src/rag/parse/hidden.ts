// Which elements of HTML a reader would not see. What is planted there (white on white, size nothing, off the screen)
// is for machines to obey, so it must not reach a passage. Inline styles are judged, style sheets are not.
import type { DefaultTreeAdapterTypes as Tree } from 'parse5'

/** Never text, wherever they stand. */
export const NOT_TEXT: ReadonlySet<string> = new Set(
  'script style noscript template head iframe object embed svg math canvas audio video select option datalist textarea input button dialog'.split(
    ' ',
  ),
)

const HIDING_STYLE =
  /display:none|visibility:(?:hidden|collapse)|font-size:0*(?:\.0+)?(?:[01](?:\.\d+)?px|0?\.\d+r?em|0(?:%|pt|r?em|px)?)(?:;|!|$)|opacity:0*(?:\.0*)?(?:%|;|!|$)|(?:^|;)(?:left|top|right|text-indent|margin-left|margin-top):-\d{3,}|(?:^|;)(?:max-)?(?:height|width):0(?:px)?(?:;|!|$)|clip:rect\(0|clip-path:inset\((?:50|100)%|color:transparent|transform:scale\(0/

/** By its attributes; `aria-hidden` counts, for what is in it is decoration to those who cannot see. */
export function isHidden(element: Tree.Element): boolean {
  for (const { name, value } of element.attrs) {
    if (name === 'hidden') return true
    if (name === 'aria-hidden' && value.trim().toLowerCase() === 'true') return true
    if (name === 'style' && hides(value)) return true
    if (name === 'type' && element.tagName === 'input' && value === 'hidden') return true
  }
  return false
}

function hides(style: string): boolean {
  const plain = style
    .slice(0, 4000)
    .toLowerCase()
    .replaceAll(/\/\*.*?\*\/|\s+/g, '')
  return HIDING_STYLE.test(plain) || isInkOnInk(plain)
}

/** White text where no other background is given, or text of the colour of its background. */
function isInkOnInk(plain: string): boolean {
  const color = colorOf(/(?:^|;)color:([^;!]+)/.exec(plain)?.[1])
  if (color === undefined) return false
  const background = colorOf(/(?:^|;)background(?:-color)?:([^;!]+)/.exec(plain)?.[1]) ?? WHITE
  return color === background
}

const WHITE = 'ffffff'

function colorOf(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  if (value === 'white') return WHITE
  if (value === 'black') return '000000'
  const hex = /^#([0-9a-f]{3,8})$/.exec(value)?.[1]
  if (hex !== undefined) return hex.length < 6 ? hex.slice(0, 3).replaceAll(/./g, '$&$&') : hex.slice(0, 6)
  const parts = /^rgba?\((\d{1,3}),(\d{1,3}),(\d{1,3})/.exec(value)
  if (!parts) return value
  return parts
    .slice(1)
    .map((part) => Number(part).toString(16).padStart(2, '0'))
    .join('')
}
