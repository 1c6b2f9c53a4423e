// Whom a caller names as behind a call, as a provider takes it: most limit its length and refuse what is longer, and
// clients of the others do not know. One person stays one person.
import { createHash } from 'node:crypto'

export const userWithin = (most: number, user: string | undefined): string | undefined =>
  user === undefined || user.length <= most ? user : createHash('sha256').update(user).digest('hex').slice(0, most)

/** OpenAI's. */
export const OPENAI_USER = 64
/** Anthropic's. */
export const ANTHROPIC_USER = 256
