// What of a passage may stand as evidence. Retrieved text was written by anyone: what addresses the model instead of the
// reader, and what a reader of the page would never see, is masked with spaces, so that offsets stay true, and is neither
// shown to the model nor cited. Numbers in brackets become `(1)`: only we make citations.
import { INVISIBLE, withoutInvisible } from '../../core/invisible.ts'
import type { FoundPassage } from '../../llm/retriever.ts'
import { type Span, splitSentences } from './sentences.ts'
import { readTerms, type Terms } from './terms.ts'

export interface Evidence {
  readonly passage: FoundPassage
  /** As long as the passage's text, with what is no evidence blank. */
  readonly readable: string
  readonly sentences: readonly EvidenceSentence[]
  /** What the title and the headings say of it: names of the passage's subject. */
  readonly subject: Terms
}

export interface EvidenceSentence extends Span {
  readonly text: string
  readonly terms: Terms
  /** Between sentences of different stretches stands what is no evidence: no quote may reach over it. */
  readonly stretch: number
}

export function readEvidence(passage: FoundPassage): Evidence {
  const readable = maskOrders(maskHidden(passage.text), passage.text)
  return {
    passage,
    readable,
    sentences: readSentences(passage.text, readable),
    subject: readTerms([passage.title, ...passage.headings].join('\n')),
  }
}

function readSentences(text: string, readable: string): EvidenceSentence[] {
  const found: EvidenceSentence[] = []
  let stretch = 0
  let before = 0
  for (const { start, end } of splitSentences(readable)) {
    if (hasHidden(text.slice(before, start), readable.slice(before, start))) stretch++
    before = end
    if (hasHidden(text.slice(start, end), readable.slice(start, end))) {
      stretch++
      continue
    }
    const sentence = readable.slice(start, end)
    found.push({ start, end, text: sentence, terms: readTerms(sentence), stretch })
  }
  return found
}

/** Whether a part of a passage holds more than is readable there, beside invisible characters. */
export const hasHidden = (text: string, readable: string): boolean =>
  withoutInvisible(text).replaceAll(/\s/g, '').length > withoutInvisible(readable).replaceAll(/\s/g, '').length

const HIDDEN = [
  /<!--[^]*?(?:-->|$)/g,
  /<(script|style|template|noscript)\b[^]*?(?:<\/\1\s*>|$)/gi,
  // A comment as Markdown hides one.
  /^\[[^\]\n]*\]:[ \t]*(?:#|<>)[ \t]*[("'].*$/gm,
]

const blank = (text: string): string => text.replaceAll(/[^\n]/g, ' ')

function maskHidden(text: string): string {
  let masked = text.replaceAll(INVISIBLE, blank)
  for (const pattern of HIDDEN) masked = masked.replaceAll(pattern, blank)
  masked = maskHiddenElements(masked)
  return masked.replaceAll(/\[(\d{1,4}(?:\s*[,;–-]\s*\d{1,4})*)\]/g, '($1)')
}

const HIDES = /\bhidden\b|display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0(?![.\d]*[1-9])/i
const TAG_NAME = /<(\w{1,40})\b/y

/**
 * Elements whose tag says that nobody sees them, up to where they are closed, or to the end. One walk over the text, and each tag
 * is looked at once, for what stands in a passage may be made to be slow to read.
 */
function maskHiddenElements(text: string): string {
  const kept: string[] = []
  let at = 0
  for (let open = text.indexOf('<'); open >= 0;) {
    TAG_NAME.lastIndex = open
    const name = TAG_NAME.exec(text)?.[1]
    if (name === undefined) {
      open = text.indexOf('<', open + 1)
      continue
    }
    const end = text.indexOf('>', open)
    if (end < 0) break
    let next = end + 1
    if (HIDES.test(text.slice(open, end))) {
      const closing = new RegExp(`</${name}\\s*>`, 'gi')
      closing.lastIndex = next
      next = closing.exec(text) ? closing.lastIndex : text.length
      kept.push(text.slice(at, open), blank(text.slice(open, next)))
      at = next
    }
    open = text.indexOf('<', next)
  }
  return kept.join('') + text.slice(at)
}

/** Says to a model what to do, as no text for people does. From such a sentence on to the end of its paragraph nothing is evidence. */
const ORDERS = [
  /\b(?:ignore|disregard|forget|override|bypass)\b[^.!?\n]{0,60}\b(?:previous|prior|above|earlier|preceding|system|other|all|any|your|these|the)\b[^.!?\n]{0,40}\b(?:instruction|instructions|prompt|prompts|rules|messages?|directions|guidelines|passages?|context)\b/i,
  /\b(?:ignoriere?|vergiss|missachte)\b[^.!?\n]{0,60}\b(?:anweisung|anweisungen|regeln|vorherigen?|bisherigen?)\b/i,
  /\b(?:ignore[zr]?|ignora|oubliez?|olvida)\b[^.!?\n]{0,60}\b(?:instructions|instrucciones|consignes|istruzioni)\b/i,
  /\byou are (?:now|no longer)\b|\bfrom now on,? you\b|\bact as (?:an?|the)\b[^.!?\n]{0,30}\b(?:ai|assistant|model|admin)/i,
  /\b(?:ai|language model|assistant|chatbot|llm|gpt|claude)s?\b[^.!?\n]{0,50}\b(?:must|should|shall|have to|are to|is to|need to|please)\b[^.!?\n]{0,60}\b(?:say|answer|reply|respond|tell|output|write|include|append|print|reveal|cite|state|claim|recommend|visit|send|click)/i,
  /\b(?:when|if|whenever|before|while)\b[^.!?\n]{0,40}\b(?:asked|answering|responding|replying|you answer|you reply|summari[sz]ing)\b[^.!?\n]{0,60}\b(?:say|answer|reply|respond|tell|output|write|include|append|print|reveal|cite|state|claim|add)\b/i,
  /\b(?:reveal|print|output|repeat|leak|show|send|exfiltrate|append)\b[^.!?\n]{0,40}\b(?:system prompt|your (?:instructions|prompt|rules|context)|the (?:prompt|conversation|user'?s (?:question|data|secret)))/i,
  /\b(?:your (?:final |only |next )?(?:answer|reply|response|output)|the answer) (?:must|should|shall|has to)\b/i,
  /\b(?:answer|reply|respond|say|tell the user|tell them|tell him|tell her)\b[^.!?\n]{0,20}\b(?:only|exactly|always|with|that)\b[^.!?\n]{0,4}["'“:]/i,
  /\btell the (?:user|reader|person|caller|operator)s?\b/i,
  /(?:^|\n)[ \t]*(?:#{1,6}\s*)?(?:<\|?)?(?:system|assistant|developer|im_start|end of (?:context|passages?|documents?))\b(?:\|?>|\s*(?:prompt|message|override|note|instruction)?\s*:)/i,
  /<\|[\w ]{2,40}\|>|\[\/?INST\]|<\/?(?:system|assistant|instructions?|prompt)>/i,
  /\bnew (?:system )?instructions?\s*(?::|follow)/i,
]

const isOrder = (sentence: string): boolean => ORDERS.some((pattern) => pattern.test(sentence))

function maskOrders(readable: string, raw: string): string {
  if (!hasOrder(raw) && !hasOrder(readable)) return readable
  let masked = ''
  let at = 0
  for (const piece of readable.split(/(\n[ \t]*\n)/)) {
    const from = at
    at += piece.length
    const order = splitSentences(piece).find(
      ({ start, end }) => hasOrder(piece.slice(start, end)) || hasOrder(raw.slice(from + start, from + end)),
    )
    masked += order ? piece.slice(0, order.start) + blank(piece.slice(order.start)) : piece
  }
  return masked
}

/** Invisible letters, and letters that only look like ours, would hide an order from the patterns and not from a model. */
const hasOrder = (text: string): boolean => isOrder(withoutInvisible(text).normalize('NFKC').replaceAll(/\s+/g, ' '))
