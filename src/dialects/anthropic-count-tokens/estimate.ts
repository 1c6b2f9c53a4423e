// How many tokens a conversation has, about, where no provider can be asked: characters by what a token of Claude's has
// on average in English and code, and for each image what one of the usual size costs. For languages with fewer characters
// a token it is too low.
import type { Ask } from '../../llm/dialect.ts'

const CHARACTERS_A_TOKEN = 3.5
const IMAGE_TOKENS = 1_600
/** `"type": "image"` or `"document"`, as the clients write it. */
const PICTURES = /"type"\s*:\s*"(?:image|document)"/g

export function estimateTokens(ask: Ask): number {
  const pictures = ask.demands.has('images') || ask.demands.has('files') ? countPictures(ask.body) : 0
  return Math.max(1, Math.ceil(ask.promptCharacters() / CHARACTERS_A_TOKEN) + pictures * IMAGE_TOKENS)
}

const countPictures = (body: Buffer): number => body.toString('utf8').match(PICTURES)?.length ?? 0
