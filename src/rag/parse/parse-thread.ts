// The thread of the parsers: one document in, its text and passages out, or what is wrong with it.
import { parentPort } from 'node:worker_threads'
import { AppError, describeError } from '../../core/errors.ts'
import { chunk } from '../chunk.ts'
import { giveWay } from '../give-way.ts'
import { parseBytes } from './formats.ts'
import type { ThreadReply, ThreadTask } from './parse-in-thread.ts'

if (!parentPort) throw new Error('parse-thread.ts is to be run as a thread')
const port = parentPort
giveWay()

async function read({ raw, options }: ThreadTask): Promise<ThreadReply> {
  try {
    const document = await parseBytes(raw)
    return { kind: 'read', document, passages: chunk(document, options) }
  } catch (thrown) {
    const error = thrown instanceof AppError ? thrown : asMalformed(thrown)
    return { kind: 'failed', code: error.code, message: error.message, detail: describeError(error.cause) || undefined }
  }
}

/** The parsers are other people's: whatever they throw, the document was the cause. */
function asMalformed(thrown: unknown): AppError {
  const isDepth = thrown instanceof RangeError && /call stack/i.test(thrown.message)
  const message = isDepth
    ? 'It is nested too deep to be read. Flatten it.'
    : 'It is damaged or not what its name says, and cannot be read. Export it anew.'
  return new AppError('malformed', message, { cause: thrown })
}

port.on('message', (task: ThreadTask) => void read(task).then((reply) => port.postMessage(reply)))
