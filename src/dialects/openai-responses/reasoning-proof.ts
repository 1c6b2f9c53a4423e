// The one field that Responses has for a proof of reasoning, `encrypted_content`. OpenAI's own goes as it is (it
// does without the id of its item); another provider's keeps its mark there. A signature is told from what hides a text by
// a mark of its own: there need not be a text, for a model may think unseen and sign that.
import { isMarked, MARK, markProof, proofOf } from '../proof.ts'

interface Proof {
  readonly signature?: string
  readonly encrypted?: string
}

const SIGNED = `${MARK}signed:`

/** What a caller handed back. */
export function readProof(encryptedContent: string): Proof {
  if (!isMarked(encryptedContent)) return { encrypted: markProof('openai', encryptedContent) }
  return encryptedContent.startsWith(SIGNED)
    ? { signature: MARK + encryptedContent.slice(SIGNED.length) }
    : { encrypted: encryptedContent }
}

/** The `encrypted_content` for a caller; null where there is nothing that could be handed back. */
export function writeProof({ signature, encrypted }: Proof): string | null {
  if (encrypted === undefined) {
    return signature !== undefined && isMarked(signature) ? SIGNED + signature.slice(MARK.length) : null
  }
  return proofOf('openai', encrypted) ?? (isMarked(encrypted) ? encrypted : null)
}
