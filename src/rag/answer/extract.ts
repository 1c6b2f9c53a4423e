// The answer without a model: the sentences of the passages that have most of the question's words, without marks of Markdown, each
// cited where it stands.
import type { Evidence, EvidenceSentence } from './evidence.ts'
import { plainMarkdown } from './plain-markdown.ts'
import { sanitize } from './sanitize.ts'
import type { AnswerSentence, Sources } from './source.ts'
import type { Span } from './sentences.ts'
import { readTerms, type Terms } from './terms.ts'

const MOST_EXTRACTS = 3
const LONGEST = 600
const HEADING = /^#{1,6}\s/
/** An extract of a later passage has to be that good beside the best one. */
const WORTH_SHOWING = 0.5

/** How much of a question's words a passage has to have, by itself or in its headings, where the retriever is not sure. */
const SHARED_WORDS = 0.4

/** Whether any passage shares enough with the question to be shown for an answer when no model judges. */
export function isNear(question: string, evidence: readonly Evidence[]): boolean {
  const asked = [...wordsOf(readTerms(question))]
  if (asked.length === 0) return true
  return evidence.some(({ sentences, subject }) => {
    const said = new Set([...wordsOf(subject), ...sentences.flatMap(({ terms }) => [...wordsOf(terms)])])
    return asked.filter((word) => said.has(word)).length >= asked.length * SHARED_WORDS
  })
}

/** Best first. Empty where the passages hold nothing that may be shown. */
export function extract(question: string, evidence: readonly Evidence[], sources: Sources): readonly AnswerSentence[] {
  const asked = wordsOf(readTerms(question))
  const rare = rarityOf(evidence)
  const highest = Math.max(...evidence.map(({ passage }) => passage.score))
  const candidates = evidence.flatMap((one, rank) => {
    const best = bestOf(one, asked, rare, rank)
    // What was found for its name counts before what only has the same words.
    const share = highest > 0 ? Math.max(0, one.passage.score) / highest : 1
    return best ? [{ one, span: best.span, worth: best.worth * share }] : []
  })
  candidates.sort((a, b) => b.worth - a.worth)
  const top = candidates[0]?.worth ?? 0
  return candidates
    .slice(0, MOST_EXTRACTS)
    .filter(({ worth }, i) => i === 0 || worth >= top * WORTH_SHOWING)
    .map(({ one, span }) => {
      const { n } = sources.cite(one.passage, span)
      const text = plainMarkdown(sanitize(one.readable.slice(span.start, span.end), () => true).text)
      return { text: `${text} [${n}]`, citations: [n] }
    })
}

const wordsOf = ({ words, names, numbers }: Terms): ReadonlySet<string> =>
  new Set([...words.map(({ stem }) => stem), ...names.map(({ name }) => name), ...numbers.map(({ value }) => value)])

/** What is in few of the passages tells them apart. */
function rarityOf(evidence: readonly Evidence[]): (word: string) => number {
  const counts = new Map<string, number>()
  for (const { sentences } of evidence) {
    for (const word of new Set(sentences.flatMap(({ terms }) => [...wordsOf(terms)])))
      counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  return (word) => Math.log(1 + evidence.length / (counts.get(word) ?? 1))
}

/** The best sentence with what follows it, for an answer often stands behind the words of its question. */
function bestOf({ sentences }: Evidence, asked: ReadonlySet<string>, rare: (word: string) => number, rank: number) {
  let best: { readonly span: Span; readonly worth: number } | undefined
  for (const [i, sentence] of sentences.entries()) {
    if (!/\p{L}{2}/u.test(sentence.text)) continue
    const said = wordsOf(sentence.terms)
    let worth = 1 / (rank + 1)
    for (const word of asked) if (said.has(word)) worth += rare(word)
    if (HEADING.test(sentence.text)) worth *= 0.5
    if (!best || worth > best.worth) best = { span: widen(sentences, i), worth }
  }
  return best
}

function widen(sentences: readonly EvidenceSentence[], at: number): Span {
  const first = sentences[at]
  if (!first) return { start: 0, end: 0 }
  let end = Math.min(first.end, first.start + LONGEST)
  for (const next of sentences.slice(at + 1, at + 3)) {
    if (HEADING.test(next.text) || next.stretch !== first.stretch || next.end - first.start > LONGEST) break
    end = next.end
  }
  return { start: first.start, end }
}
