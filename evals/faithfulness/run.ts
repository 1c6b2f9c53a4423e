// `npm run eval:faithfulness`: how well code alone tells sentences that a passage supports from those it does not, and what
// becomes of questions that the documents do not answer. The documents go through the real reader, store and retriever.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/core/clock.ts'
import { parseConfig } from '../../src/config/load.ts'
import { embeddingOpener } from '../../src/embedding-model.ts'
import { silentLog } from '../../src/observe/log.ts'
import { answerQuestion } from '../../src/rag/answer/answer.ts'
import { readEvidence } from '../../src/rag/answer/evidence.ts'
import { findSupport } from '../../src/rag/answer/support.ts'
import { openKnowledge } from '../../src/rag/knowledge.ts'
import * as closed from './closed-set.ts'
import * as fresh from './fresh-set.ts'
import type { FaithfulnessSet } from './item.ts'
import * as open from './open-set.ts'
import * as first from './set.ts'
import * as third from './third-set.ts'

/** Only counted: once its failures were looked at it would say nothing about other texts any more. */
const CLOSED = 'the fourth set, closed half'
const verbose = process.argv.includes('--verbose')
const never = new AbortController().signal
const folder = mkdtempSync(join(tmpdir(), 'midwatch-faithfulness-'))
const config = parseConfig('{}', 'eval.yaml', {})
const knowledge = await openKnowledge({
  config: config.rag,
  dataFolder: folder,
  openEmbedding: embeddingOpener(config, { dataFolder: folder }),
  clock: systemClock,
  log: silentLog(),
})
const SETS: readonly FaithfulnessSet[] = [
  { name: 'the first set', documents: first.DOCUMENTS, items: first.ITEMS, questions: first.QUESTIONS },
  { name: 'the second set', documents: fresh.DOCUMENTS, items: fresh.ITEMS, questions: fresh.QUESTIONS },
  { name: 'the third set', documents: third.DOCUMENTS, items: third.ITEMS, questions: [] },
  { name: 'the fourth set, open half', documents: open.DOCUMENTS, items: open.ITEMS, questions: [] },
  { name: CLOSED, documents: closed.DOCUMENTS, items: closed.ITEMS, questions: [] },
]
try {
  for (const set of SETS) {
    const of = { tenant: 'default', name: set.name.replaceAll(/\W+/g, '-') }
    const collection = await knowledge.store.ensureCollection(of, systemClock.now())
    for (const [id, text] of Object.entries(set.documents)) {
      const document = { id, source: null, bytes: Buffer.from(text), mediaType: 'text/markdown', metadata: {} }
      await knowledge.put(collection, document, never)
    }
    console.log(`\n${set.name}`)
    await scoreSupport(set, of.name)
    if (set.questions.length > 0) await scoreQuestions(set, of.name)
  }
} finally {
  await knowledge.stop()
  rmSync(folder, { recursive: true, force: true })
}

async function scoreSupport({ name, items }: FaithfulnessSet, collection: string): Promise<void> {
  const query = { tenant: 'default', collections: [collection], topK: 20, perDocument: 20 }
  let [right, wrong, missed, refused] = [0, 0, 0, 0]
  for (const { document, sentence, faithful } of items) {
    const found = await knowledge.retriever.retrieve({ ...query, text: sentence }, never)
    const evidence = found.passages.filter((passage) => passage.document === document).map(readEvidence)
    const supports = evidence.map((one) => findSupport(sentence, one))
    const kept = supports.some(({ kind }) => kind === 'supported')
    if (kept && faithful) right++
    else if (kept) wrong++
    else if (faithful) missed++
    else refused++
    if (verbose && name !== CLOSED && kept !== faithful) {
      const reasons = supports.flatMap((one) => (one.kind === 'unsupported' ? [one.reason] : []))
      console.error(
        `${faithful ? 'dropped, though faithful' : 'kept, though unfaithful'}: ${sentence} ${reasons.join('; ')}`,
      )
    }
  }
  console.log(`sentences   ${items.length} (${right + missed} faithful, ${wrong + refused} not)`)
  console.log(`precision   ${percent(right, right + wrong)}  of the sentences kept, faithful`)
  console.log(`recall      ${percent(right, right + missed)}  of the faithful sentences, kept`)
  console.log(`refused     ${percent(refused, refused + wrong)}  of the unfaithful sentences, dropped`)
}

async function scoreQuestions({ questions }: FaithfulnessSet, collection: string): Promise<void> {
  const parts = { retriever: knowledge.retriever, chatModel: undefined, clock: systemClock, log: silentLog() }
  let [answered, answerable, silent, unanswerable] = [0, 0, 0, 0]
  for (const { question, expects } of questions) {
    const asked = { tenant: 'default', collections: [collection], topK: 8, text: question, model: undefined }
    const answer = await answerQuestion(parts, asked, never)
    const good = expects === null ? !answer.answered : answer.text.includes(expects)
    if (expects === null) {
      unanswerable++
      if (good) silent++
    } else {
      answerable++
      if (good) answered++
    }
    if (verbose && !good) console.error(`${question} → ${answer.text}`)
  }
  console.log(`questions   ${questions.length}, answered by extracts`)
  console.log(`answered    ${percent(answered, answerable)}  of those that the documents answer`)
  console.log(`not known   ${percent(silent, unanswerable)}  of those that they do not`)
}

function percent(part: number, of: number): string {
  return `${(of === 0 ? 0 : (100 * part) / of).toFixed(0).padStart(3)} % (${part}/${of})`.padEnd(16)
}
