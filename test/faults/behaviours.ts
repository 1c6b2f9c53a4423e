// What a provider may do with a call: answer well, or fail in one of the ways that are seen in the field.
import { setTimeout as pause } from 'node:timers/promises'
import type { Behaviour, FaultyCall } from './fault-server.ts'
import { errorIn, type Finish, plainIn, type Refusal, refusalIn, streamIn } from './speech.ts'

/** The answer to everything: the same whoever gives it, so that one can go on where another broke off. */
export const WORDS: readonly string[] = Array.from({ length: 60 }, (_, i) => `${i === 0 ? '' : ' '}word${i + 1}`)
export const WHOLE = WORDS.join('')
/** The answer of one who says something else from the third word on. */
export const OTHER_WORDS: readonly string[] = WORDS.map((word, i) => (i < 2 ? word : word.replace('word', 'other')))
export const OTHER = OTHER_WORDS.join('')

const EVENT_STREAM = { 'content-type': 'text/event-stream', 'transfer-encoding': 'chunked' }
const json = (body: string) => ({
  'content-type': 'application/json',
  'content-length': String(Buffer.byteLength(body)),
})

const partsOf = ({ speech }: FaultyCall, words = WORDS, finish: Finish = 'stop') => streamIn(speech, words, finish)

/** Answers well; behind the assistant's beginning, where the request ends with one. */
export const answers =
  (words = WORDS, finish: Finish = 'stop'): Behaviour =>
  async (call) => {
    const rest = call.prefill === null ? words : [words.join('').slice(call.prefill.length)]
    if (!call.stream) return plainly(call, plainIn(call.speech, rest, finish))
    const { greeting, words: said, closing, end } = partsOf(call, rest, finish)
    await call.head(200, EVENT_STREAM)
    for (const event of [...greeting, ...said, ...closing, end]) await call.piece(event)
    await call.end()
  }

async function plainly(call: FaultyCall, body: string): Promise<void> {
  await call.head(200, json(body))
  await call.raw(body)
}

export const refuses =
  (refusal: Refusal, headers: Readonly<Record<string, string>> = {}): Behaviour =>
  async (call) => {
    const { status, body } = refusalIn(call.speech, refusal)
    await call.head(status, { ...json(body), ...headers })
    await call.raw(body)
  }

/** Does one thing the first time (or every other time), and answers well otherwise. */
export const firstTime =
  (behaviour: Behaviour): Behaviour =>
  (call) =>
    (call.count === 1 ? behaviour : answers())(call)
export const everyOtherTime =
  (behaviour: Behaviour): Behaviour =>
  (call) =>
    (call.count % 2 === 1 ? behaviour : answers())(call)

export const resets: Behaviour = (call) => call.reset()
export const closes: Behaviour = (call) => call.close()
export const staysSilent: Behaviour = () => undefined

/** Takes its time before it says anything. */
export const waits =
  (ms: number): Behaviour =>
  async (call) => {
    const over = Promise.withResolvers<void>()
    const timer = setTimeout(over.resolve, ms)
    call.hungUp.addEventListener('abort', () => over.resolve(), { once: true })
    if (call.stream) {
      await call.head(200, EVENT_STREAM)
      for (const event of partsOf(call).greeting) await call.piece(event)
    }
    await over.promise
    clearTimeout(timer)
    if (call.hungUp.aborted) return
    if (!call.stream) return plainly(call, plainIn(call.speech, WORDS))
    const { words, closing, end } = partsOf(call)
    for (const event of [...words, ...closing, end]) await call.piece(event)
    await call.end()
  }

/** Headers, and nothing after them. */
export const greetsWithHeadersOnly: Behaviour = (call) =>
  call.head(200, call.stream ? EVENT_STREAM : { 'content-type': 'application/json', 'content-length': '500' })

type Then = (call: FaultyCall) => Promise<void> | void

/** A stream up to so many words, and then something goes wrong. */
export const breaksAfter =
  (words: number, then: Then): Behaviour =>
  async (call) => {
    const { greeting, words: said } = partsOf(call)
    await call.head(200, EVENT_STREAM)
    for (const event of [...greeting, ...said.slice(0, words)]) await call.piece(event)
    await then(call)
  }

export const thenErrs =
  (words: number): Then =>
  async (call) => {
    await call.piece(errorIn(call.speech, partsOf(call).greeting.length + words))
    await call.end()
  }
/** A reset throws away what its receiver has not read yet: so a moment is left to read what was said before it. */
export const thenResets: Then = async (call) => {
  await pause(50)
  call.reset()
}
/** The connection ends, and the body has not. */
export const thenCloses: Then = (call) => call.close()
export const thenGarbage: Then = async (call) => {
  await call.piece('data: {"choices":[{"del\n\n')
  await call.end()
}
export const thenHalfAnEvent: Then = async (call) => {
  const [event = ''] = partsOf(call).words
  await call.piece(event.slice(0, event.length / 2))
  await thenResets(call)
}
export const thenEnds: Then = (call) => call.end()
/** Two events without the blank line between them: nothing is lost, so it can be put right. */
export const thenGlued: Then = async (call) => {
  const { words, closing, end } = partsOf(call)
  const [one = '', two = '', ...rest] = words
  await call.piece(`${one.trimEnd()}\n${two}`)
  for (const event of [...rest, ...closing, end]) await call.piece(event)
  await call.end()
}

/** All was said, and the end mark never comes. */
export const forgetsTheEnd =
  (then: Then): Behaviour =>
  async (call) => {
    const { greeting, words, closing } = partsOf(call)
    await call.head(200, EVENT_STREAM)
    for (const event of [...greeting, ...words, ...closing]) await call.piece(event)
    await then(call)
  }

/** A plain answer of which only the beginning arrives. */
export const plainCut =
  (then: Then): Behaviour =>
  async (call) => {
    const body = plainIn(call.speech, WORDS)
    await call.head(200, json(body))
    await call.raw(body.slice(0, body.length / 2))
    await then(call)
  }

/** A plain answer that is whole for HTTP and broken for JSON. */
export const plainBroken =
  (text: (whole: string) => string): Behaviour =>
  (call) =>
    plainly(call, text(plainIn(call.speech, WORDS)))

/** Another protocol altogether. */
export const speaksNoHttp: Behaviour = async (call) => {
  await call.raw('220 mail.example.com ESMTP\r\n\r\n')
  call.close()
}

/** Takes no beginning of an assistant; else answers well. */
export const rejectsPrefill: Behaviour = (call) => (call.prefill === null ? answers() : refuses('prefill'))(call)
