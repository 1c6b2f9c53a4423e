// A chat request in no dialect.
import { AppError } from '../../core/errors.ts'
import type { NeutralChat } from '../../llm/request.ts'

export function readNeutral(_body: Readonly<Record<string, unknown>>): NeutralChat {
  throw new AppError('internal', 'not yet')
}
