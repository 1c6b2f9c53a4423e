// What the grammar of a chat stream forbids.
import type { StreamChecker } from '../../llm/dialect.ts'

export class ChatChecker implements StreamChecker {
  see(_event: string | null, _data: unknown): string | null {
    return null
  }

  end(): string | null {
    return null
  }
}
