// The thread that computes embeddings. Passages are worked on in small runs, and between two of them questions have their
// turn: somebody waits for those.
import { parentPort, workerData } from 'node:worker_threads'
import { describeError, toAppError } from '../../core/errors.ts'
import type { Encoder } from './encoder.ts'
import { openHuggingFace } from './hugging-face/encoder.ts'
import type { Reply, Request, ThreadTask } from './protocol.ts'
import { openUseLite } from './use-lite/encoder.ts'
import { firstWindow, windowsOf } from './windows.ts'

interface Row {
  readonly text: number
  readonly place: number
  readonly pieces: readonly number[]
}

/** Word pieces a run, padding included: a question waits for one run at most, about a tenth of a second. */
const RUN_PIECES = 512
/** Rows of about one length go together: so many pieces are gathered to choose from. */
const POOL_PIECES = 4_096

if (!parentPort) throw new Error('thread.ts is to be run as a thread')
const port = parentPort
const task = workerData as ThreadTask
const queries: (Request & { kind: 'query' })[] = []
const passages: (Request & { kind: 'passages' })[] = []
const cancelled = new Set<number>()

port.on('message', (request: Request) => {
  switch (request.kind) {
    case 'query':
      queries.push(request)
      break
    case 'passages':
      passages.push(request)
      break
    case 'cancel':
      cancelled.add(request.id)
      return
    case 'end':
      ending.abort()
      if (!working) port.close()
      return
  }
  void work()
})

const tell = (reply: Reply): void => port.postMessage(reply)
let working = false
const ending = new AbortController()
let encoder: Encoder | undefined

async function work(): Promise<void> {
  if (working || !encoder) return
  working = true
  try {
    while (!ending.signal.aborted) {
      await answerQueries(encoder)
      const next = passages.shift()
      if (!next) break
      await answer(next.id, () => embed(encoder as Encoder, next))
    }
  } finally {
    working = false
    if (ending.signal.aborted) port.close()
  }
}

async function answerQueries(model: Encoder): Promise<void> {
  // What has arrived meanwhile is taken in first.
  await new Promise((resolve) => setImmediate(resolve))
  for (let query = queries.shift(); query; query = queries.shift()) {
    const { id, text } = query
    if (cancelled.delete(id)) continue
    await answer(id, async () => [await model.encode([firstWindow(text, model.reading('query'))], 'query')])
  }
}

async function answer(id: number, compute: () => Promise<(readonly Float32Array[])[] | undefined>): Promise<void> {
  try {
    const vectors = await compute()
    if (vectors) tell({ kind: 'done', id, vectors })
  } catch (error) {
    const { code, message, cause } = toAppError(error)
    tell({ kind: 'failed', id, code, message, detail: describeError(cause) })
  } finally {
    cancelled.delete(id)
  }
}

/** Undefined when nobody waits for it any more. */
async function embed(
  model: Encoder,
  { id, texts }: Request & { kind: 'passages' },
): Promise<Float32Array[][] | undefined> {
  const vectors: Float32Array[][] = texts.map(() => [])
  let pool: Row[] = []
  let pooled = 0
  for (let text = 0; text < texts.length; text++) {
    windowsOf(texts[text] ?? '', model.reading('passage')).forEach((pieces, place) => {
      pool.push({ text, place, pieces })
      pooled += pieces.length
    })
    if (pooled < POOL_PIECES && text < texts.length - 1) {
      // Cutting a text into pieces takes its time as well.
      if (queries.length > 0 || text % 8 === 7) await answerQueries(model)
      continue
    }
    for (const run of runsOf(pool)) {
      await answerQueries(model)
      if (ending.signal.aborted || cancelled.has(id)) return undefined
      const found = await model.encode(
        run.map(({ pieces }) => pieces),
        'passage',
      )
      run.forEach((row, i) => {
        const vector = found[i]
        const ofText = vectors[row.text]
        if (vector && ofText) ofText[row.place] = vector
      })
    }
    pool = []
    pooled = 0
  }
  return vectors
}

/** The longest first. */
function runsOf(rows: readonly Row[]): Row[][] {
  const runs: Row[][] = []
  let run: Row[] = []
  for (const row of rows.toSorted((a, b) => b.pieces.length - a.pieces.length)) {
    const width = Math.max(1, run[0]?.pieces.length ?? 0)
    if (run.length > 0 && (run.length + 1) * width > RUN_PIECES) {
      runs.push(run)
      run = []
    }
    run.push(row)
  }
  if (run.length > 0) runs.push(run)
  return runs
}

try {
  encoder = task.kind === 'use-lite' ? await openUseLite(task.cacheFolder, task.threads) : await openHuggingFace(task)
  tell({ kind: 'ready', model: encoder.id, dimension: encoder.dimension })
  void work()
} catch (error) {
  const { code, message, cause } = toAppError(error)
  tell({ kind: 'unopened', code, message, detail: describeError(cause) })
  port.close()
}
