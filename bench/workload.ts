// What every caller of the bench sends, and how the provider's streams look. No two requests are alike, so that no cache
// answers one and every subject does the whole of its work each time.

/** Pieces of content in a stream, as far apart as a fast model's: 200 streams then stay within what one process can do. */
export const CHUNKS_A_STREAM = 40
export const CHUNK_EVERY_MS = 50
export const STREAM_MS = CHUNKS_A_STREAM * CHUNK_EVERY_MS

const SYSTEM = 'You are a helpful assistant. '.repeat(10)
const QUESTION = 'Explain what a reverse proxy does, in one short paragraph. '.repeat(5)

const request = (mark: string, fields: object): string =>
  JSON.stringify({
    model: 'bench',
    messages: [
      { role: 'system', content: SYSTEM },
      { role: 'user', content: `${QUESTION}(${mark})` },
    ],
    // Low enough for an exact cache to take it.
    temperature: 0.2,
    user: 'bench',
    ...fields,
  })

const MARK = '@@'
const plainParts = request(MARK, {}).split(MARK)
const streamParts = request(MARK, { stream: true }).split(MARK)

let asked = 0

export const plainBody = (): string => plainParts.join(inLetters(asked++))
export const streamBody = (): string => streamParts.join(inLetters(asked++))

/** A number in letters, always eight of them: digits could pass for a telephone number and cost a scanner more. */
export function inLetters(value: number): string {
  let text = ''
  for (let rest = value, i = 0; i < 8; i++) {
    text += String.fromCodePoint(97 + (rest % 26))
    rest = Math.floor(rest / 26)
  }
  return text
}
