// The one field that Responses has for a proof of reasoning, `encrypted_content`. OpenAI's own goes as it is (it
// does without the id of its item); another provider's keeps its mark there, and whether it signs a text or hides it shows
// by there being a text.
import { isMarked, markProof, proofOf } from '../proof.ts'

interface Proof {
  readonly signature?: string
  readonly encrypted?: string
}

/** What a caller handed back, as a proof of a reasoning of that text. */
export function readProof(encryptedContent: string, text: string): Proof {
  if (!isMarked(encryptedContent)) return { encrypted: markProof('openai', encryptedContent) }
  return text === '' || proofOf('openai', encryptedContent) !== undefined
    ? { encrypted: encryptedContent }
    : { signature: encryptedContent }
}

/** The `encrypted_content` for a caller; null where there is nothing that could be handed back. */
export function writeProof({ signature, encrypted }: Proof): string | null {
  const proof = encrypted ?? signature
  if (proof === undefined) return null
  return proofOf('openai', proof) ?? (isMarked(proof) ? proof : null)
}
