// Chat chunks and answers as events in no dialect.
import { AppError } from '../../core/errors.ts'
import type { AnswerEvent } from '../../llm/events.ts'
import type { Json } from '../json.ts'

export class ChatDecoder {
  chunk(_chunk: Json): readonly AnswerEvent[] {
    throw new AppError('internal', 'not yet')
  }

  whole(_answer: Json): readonly AnswerEvent[] {
    throw new AppError('internal', 'not yet')
  }
}
