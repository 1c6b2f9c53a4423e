// What proves that reasoning is a provider's own (a signature, or the encrypted text itself) means nothing to any other,
// and is refused by it. So between dialects a proof carries the name of its origin: whoever writes a request for that
// origin takes the mark off, everybody else leaves the proof away. A proof without a mark is nobody's.

export type ProofOrigin = 'anthropic' | 'openai' | 'gemini' | 'bedrock'

export const MARK = 'midwatch:'

/** Whether the bytes of a request can hold a marked proof. */
export const mayHoldProofs = (body: Buffer): boolean => body.includes(MARK)

export const markProof = (origin: ProofOrigin, proof: string): string => `${MARK}${origin}:${proof}`

export const isMarked = (proof: string): boolean => proof.startsWith(MARK)

/** The proof as its origin gave it; undefined when it is somebody else's. */
export function proofOf(origin: ProofOrigin, marked: string | undefined): string | undefined {
  const prefix = `${MARK}${origin}:`
  return marked?.startsWith(prefix) === true ? marked.slice(prefix.length) : undefined
}
