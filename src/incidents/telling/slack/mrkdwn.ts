// Text in Slack's own markup. What came from outside is one line of plain text in it: it cannot become a link, a call to
// people, or a line that looks like ours. (`told-incident.ts` has taken links and markup out of it before.)

// Block Kit's limits, in UTF-16 units of the text as it is sent: a longer one is refused whole.
const MAX_SECTION = 3000
const MAX_BLOCKS = 50
export const MAX_BUTTON = 75

interface TextObject {
  readonly type: 'mrkdwn' | 'plain_text'
  readonly text: string
  readonly verbatim?: boolean
  readonly emoji?: boolean
}

export interface Button {
  readonly type: 'button'
  readonly action_id: string
  readonly text: TextObject
  readonly value: string
  readonly style?: 'primary' | 'danger'
  readonly confirm?: {
    readonly title: TextObject
    readonly text: TextObject
    readonly confirm: TextObject
    readonly deny: TextObject
  }
}

export type Block =
  | { readonly type: 'section'; readonly text: TextObject }
  | { readonly type: 'context'; readonly elements: readonly TextObject[] }
  | { readonly type: 'divider' }
  | { readonly type: 'actions'; readonly block_id: string; readonly elements: readonly Button[] }

/** Outside text as a part of mrkdwn. */
export const escape = (text: string): string =>
  text.replaceAll(/\s+/g, ' ').trim().replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** A link of our own. What stands in its address cannot end it. */
export const link = (url: string, text: string): string =>
  `<${url.replaceAll('&', '&amp;').replaceAll('<', '%3C').replaceAll('>', '%3E').replaceAll('|', '%7C')}|${escape(text)}>`

/** At most `max` long, never cut within a character or within an escape such as `&amp;`. */
export function clip(text: string, max: number): string {
  if (text.length <= max) return text
  return `${text
    .slice(0, max - 1)
    .toWellFormed()
    .replace(/\uFFFD$/, '')
    .replace(/&[a-z]{0,4}$/, '')}…`
}

/** Plain text for labels, which knows no markup. */
export const label = (text: string, max: number): TextObject => ({
  type: 'plain_text',
  text: clip(text.replaceAll(/\s+/g, ' ').trim(), max),
  emoji: false,
})

/** `verbatim`: Slack makes no links of addresses and names by itself. */
const mrkdwn = (text: string): TextObject => ({ type: 'mrkdwn', text, verbatim: true })

/** Lines as sections, as many as they need; a line that is too long for one alone is clipped. */
export function sections(lines: readonly string[]): Block[] {
  const blocks: Block[] = []
  let text = ''
  const end = (): void => {
    if (text !== '') blocks.push({ type: 'section', text: mrkdwn(text) })
    text = ''
  }
  for (const line of lines.filter((one) => one !== '').map((one) => clip(one, MAX_SECTION))) {
    if (text.length + 1 + line.length > MAX_SECTION) end()
    text = text === '' ? line : `${text}\n${line}`
  }
  end()
  return blocks
}

export const context = (text: string): Block => ({ type: 'context', elements: [mrkdwn(clip(text, MAX_SECTION))] })

/** The last ones (buttons, the link) are kept where there are too many. */
export function withinLimit(blocks: readonly Block[], keepLast: number): Block[] {
  if (blocks.length <= MAX_BLOCKS) return [...blocks]
  const room = MAX_BLOCKS - keepLast - 1
  return [...blocks.slice(0, room), context('There is more on the page.'), ...blocks.slice(-keepLast)]
}
