// What of a model's words may reach a page or a terminal: no images, no links but those that stand in the passages, no markup
// of pages, nothing invisible. An address can carry data away by being shown; where no passage has it, it goes.
import { withoutInvisible } from '../../core/invisible.ts'

export interface Sanitized {
  readonly text: string
  /** Links and images that were taken out. */
  readonly removed: number
}

const IMAGE = /!\[[^\]\n]*\](?:\([^)\n]*\)|\[[^\]\n]*\])?/g
/** An address ends where it has to: to try it shorter, too, would cost the cube of a line without an end. */
const LINK = /\[([^\]\n]*)\]\(\s*<?([^)\s>]*)(?=[)>\s])[^)\n]*\)/g
const REFERENCE = /\[([^\]\n]+)\]\[[^\]\n]*[^\]\d,\s][^\]\n]*\]/g
const DEFINITION = /^[ \t]*\[[^\]\n]+\]:.*$/gm
/** Of pages, and whatever has attributes; `<namespace>` in a command is none. */
const TAG =
  /<(?:!|\/?(?:a|applet|audio|b|base|body|br|button|center|code|details|div|em|embed|font|form|frame|frameset|h[1-6]|html|i|iframe|img|input|li|link|math|meta|object|ol|p|picture|pre|script|select|source|span|strong|style|summary|svg|table|td|template|textarea|th|tr|track|u|ul|video)\b|\/?[a-z][\w-]*[\s/][^>\n]*=|https?:)[^>\n]*>?/gi
const ADDRESS = /\b(?:[a-z][a-z0-9+.-]*:\/\/|www\.|data:|javascript:|mailto:)[^\s<>()[\]"'`]+/gi

/** `isKnown`: whether an address stands in a passage, exactly. */
export function sanitize(said: string, isKnown: (address: string) => boolean): Sanitized {
  let removed = 0
  const take = (kept: string): string => {
    removed++
    return kept
  }
  // What is taken out must not leave behind what is to be taken out: until nothing changes.
  let text = withoutInvisible(said)
  for (let before = ''; before !== text;) {
    before = text
    text = text
      .replaceAll(IMAGE, () => take(''))
      .replaceAll(LINK, (_, words: string, address: string) =>
        isKnown(address) ? `${words} (${address})` : take(words),
      )
      .replaceAll(REFERENCE, (_, words: string) => take(words))
      .replaceAll(DEFINITION, () => take(''))
      .replaceAll(TAG, (tag) => (ADDRESS_TAG.test(tag) && isKnown(tag.slice(1, -1)) ? tag.slice(1, -1) : take('')))
  }
  // Two sentences that are harmless each must not make a link together.
  text = text.replaceAll(/!(?=\[)/g, '').replaceAll(/\](?=[([]\s*<?[a-z/#.])/gi, '] ')
  return { text, removed }
}

const ADDRESS_TAG = /^<https?:\/\/[^>\s]+>$/i

/** Without the addresses that `isKnown` does not know: for sentences that are shown though nothing supports them. */
export const withoutAddresses = (text: string, isKnown: (address: string) => boolean): string =>
  text.replaceAll(ADDRESS, (address) => (isKnown(address.replace(/[.,;:!?]+$/, '')) ? address : '(an address)'))
