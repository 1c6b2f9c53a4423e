// A tool call's id that carries a proof. Gemini signs its calls and refuses a conversation in which a signature is
// missing; but of a call every client of every dialect hands back three things only: id, name and arguments. So the
// signature travels in the id, in characters that every dialect takes, and needs no memory of ours between two requests.
// Whoever writes a request for another provider writes the id without it, for some allow no more than 40 characters.
import { Buffer } from 'node:buffer'

const MARK = '--midwatch-sig-'

const SIGNATURES = new RegExp(`${MARK}[\\w-]*`, 'g')

/** The bytes of a request to somebody else: with the ids as their providers gave them. */
export function withoutSignatures(body: Buffer): Buffer {
  return body.includes(MARK) ? Buffer.from(body.toString('latin1').replaceAll(SIGNATURES, ''), 'latin1') : body
}

export function signedCallId(id: string, signature: string): string {
  const bytes = Buffer.from(signature, 'base64')
  // `b`: the signature is base64, as it always was so far; `t`: it is some other text.
  const packed =
    bytes.toString('base64') === signature
      ? `b${bytes.toString('base64url')}`
      : `t${Buffer.from(signature).toString('base64url')}`
  return `${id}${MARK}${packed}`
}

/** The id as its provider gave it. */
export function plainCallId(id: string): string {
  const at = id.indexOf(MARK)
  return at === -1 ? id : id.slice(0, at)
}

export function signatureOf(id: string): string | undefined {
  const at = id.indexOf(MARK)
  if (at === -1) return undefined
  const packed = id.slice(at + MARK.length)
  const bytes = Buffer.from(packed.slice(1), 'base64url')
  return packed.startsWith('b') ? bytes.toString('base64') : bytes.toString('utf8')
}
