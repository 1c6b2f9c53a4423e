// A chat answer written from events in no dialect.
import { AppError } from '../../core/errors.ts'
import type { AnswerWriter, Ask } from '../../llm/dialect.ts'
import type { AnswerEvent } from '../../llm/events.ts'

export class ChatWriter implements AnswerWriter {
  constructor(_ask: Ask) {
    throw new AppError('internal', 'not yet')
  }

  write(_events: readonly AnswerEvent[]): Uint8Array {
    throw new AppError('internal', 'not yet')
  }

  end(): Uint8Array {
    throw new AppError('internal', 'not yet')
  }

  whole(): Buffer {
    throw new AppError('internal', 'not yet')
  }
}
