// What of all the tries reaches the caller, in the caller's dialect. The first try with content owns the answer; frames of
// a provider that speaks the dialect pass as they are, others are written anew. What was sent is remembered as far as it is
// needed to go on elsewhere when the answer breaks off, as the providers know it: the originals of placeholders are put
// back on the last step to the caller.
import type { AnswerWriter, Ask, Dialect } from '../llm/dialect.ts'
import type { AnswerEvent } from '../llm/events.ts'
import { type Frame, NO_BYTES, NO_EVENTS } from '../llm/frames.ts'
import { createRestorer, type Restorer, restoreText } from '../privacy/restore.ts'
import type { Vault } from '../privacy/vault.ts'
import type { Audience } from './audience.ts'
import { eventsIfJoinable } from './joint.ts'
import type { Unrescued } from './decision.ts'
import type { Target } from './plan.ts'
import type { Run } from './run.ts'
import { Said } from './said.ts'

/** When frames may go out: with the first content, or (for callers who would rather wait) when all was said. */
export type Release = 'content' | 'complete'

/** So much is remembered of an answer, in bytes or characters; a longer one is not gone on with when it breaks off. */
const KEPT_BYTES = 8 * 1024 * 1024

export class Delivery {
  readonly release: Release
  readonly #run: Run
  readonly #ask: Ask
  readonly #dialect: Dialect
  readonly #audience: Audience
  readonly #vault: Vault | null
  readonly #restorer: Restorer | null
  #owner: object | undefined
  #writer: AnswerWriter | undefined
  #said: Said | undefined
  #kept: Uint8Array[] | null
  #keptBytes = 0
  /** Whether what is said of a stream that is written anew is remembered; a plain answer is handed over as a whole. */
  #remembers: boolean
  /** From the end of a part on, until something follows it: who goes on with the answer may go on with that part. */
  #held: Frame[] = []
  /** Something went out: whatever comes now has to go on from there. */
  begun = false

  /** `rescuable`: remember what was sent. With a `vault` no answer may pass verbatim. */
  constructor(
    run: Run,
    ask: Ask,
    audience: Audience,
    options: { release: Release; rescuable: boolean; vault: Vault | null },
  ) {
    this.release = options.release
    this.#run = run
    this.#ask = ask
    this.#dialect = run.call.dialect
    this.#audience = audience
    this.#remembers = !ask.stream || (options.rescuable && ask.choices === 1)
    this.#kept = options.rescuable ? [] : null
    this.#vault = options.vault
    this.#restorer = options.vault && createRestorer(options.vault)
  }

  /** Called when the answer has got its owner. */
  onClaim: ((owner: object) => void) | undefined

  /** Whether the answer is this try's to give. The first one that asks gets it. */
  claim(attempt: object): boolean {
    if (this.#owner === undefined) {
      this.#owner = attempt
      this.onClaim?.(attempt)
    }
    return this.#owner === attempt
  }

  /** Before another try goes on with the answer. */
  disown(): void {
    this.#owner = undefined
  }

  /** The owner's frames. A promise asks to be awaited before more is sent. */
  send(target: Target, frames: readonly Frame[], verbatim: boolean): Promise<void> | undefined {
    if (!this.begun) {
      this.begun = true
      this.#run.beginContent()
      this.#audience.begin({
        provider: target.provider,
        model: target.model,
        attempts: this.#run.attempts,
        stream: this.#ask.stream,
        cache: this.#run.cache,
        overheadMs: this.#run.overheadMs(),
        standing: this.#run.standing,
      })
    }
    if (!verbatim) return this.#write(frames.flatMap(({ events }) => events))
    const out = this.#kept ? this.#hold(frames) : this.#release(frames)
    if (out.length === 0) return undefined
    this.#keep(out)
    return this.#audience.write(out)
  }

  /**
   * From here on the answer is written and no longer passed: what went out is read again, so that the writer stands where
   * the caller does. Else why the answer cannot be gone on with.
   */
  async takeOver(): Promise<Said | Unrescued> {
    if (this.#ask.choices > 1) return 'several choices'
    if (!this.#ask.stream) return 'cannot be joined'
    if (this.#said) return this.#said
    if (!this.#kept) return 'too long'
    const sent = Buffer.concat(this.#kept)
    this.#kept = null
    this.#held = []
    const events = await eventsIfJoinable(this.#dialect, this.#ask, sent)
    if (!events) return 'cannot be joined'
    this.#remembers = true
    this.#writerFor(events)
    return this.#said ?? 'too long'
  }

  /** All was said. What the caller gets at last, once the outcome is recorded; `closing` is the provider's end mark. */
  finish(closing: Uint8Array | null): Uint8Array {
    if (!this.#writer) {
      if (!this.#ask.stream) return NO_BYTES
      const end = closing ?? this.#dialect.endMark
      return this.#held.length === 0 ? end : Buffer.concat([...this.#held.map(({ bytes }) => bytes), end])
    }
    const rest = this.#restorer ? this.#writer.write(this.#restorer.flush()) : NO_BYTES
    if (this.#ask.stream) return rest.length === 0 ? this.#writer.end() : Buffer.concat([rest, this.#writer.end()])
    const said = this.#said?.text ?? ''
    const text = this.#vault ? restoreText(this.#vault, said) : said
    void this.#audience.write([{ ...WRITTEN, bytes: this.#writer.whole(), text }])
    return NO_BYTES
  }

  #write(events: readonly AnswerEvent[]): Promise<void> | undefined {
    const restored = this.#restorer?.restore(events) ?? events
    const bytes = this.#writerFor(events, restored)
    if (bytes.length === 0) return undefined
    let text = ''
    for (const event of restored) if (event.kind === 'text' && event.choice === 0) text += event.text
    return this.#audience.write([{ ...WRITTEN, bytes, text }])
  }

  #writerFor(events: readonly AnswerEvent[], restored = events): Uint8Array {
    this.#writer ??= this.#dialect.createWriter(this.#ask)
    if (this.#remembers) this.#remember(events)
    return this.#writer.write(restored)
  }

  #remember(events: readonly AnswerEvent[]): void {
    this.#said ??= new Said()
    this.#said.add(events)
    if (!this.#ask.stream || this.#said.length <= KEPT_BYTES) return
    this.#remembers = false
    this.#said = undefined
    this.#kept = null
  }

  #hold(frames: readonly Frame[]): readonly Frame[] {
    if (this.#held.length === 0 && !frames.some(({ kind }) => kind === 'closing')) return frames
    const out: Frame[] = []
    for (const frame of frames) {
      if (frame.kind === 'closing' || (frame.kind === 'lifecycle' && this.#held.length > 0)) this.#held.push(frame)
      else out.push(...this.#release([frame]))
    }
    return out
  }

  #release(frames: readonly Frame[]): readonly Frame[] {
    if (this.#held.length === 0) return frames
    const out = [...this.#held, ...frames]
    this.#held = []
    return out
  }

  #keep(frames: readonly Frame[]): void {
    if (!this.#kept) return
    for (const { bytes } of frames) {
      this.#kept.push(bytes)
      this.#keptBytes += bytes.length
    }
    if (this.#keptBytes > KEPT_BYTES) this.#kept = null
  }
}

/** What we wrote ourselves. */
const WRITTEN: Frame = {
  kind: 'content',
  bytes: NO_BYTES,
  events: NO_EVENTS,
  text: '',
  written: 0,
  usage: null,
  model: null,
  complete: false,
}
