// How far long work is, on standard error: one line that is written over on a terminal, a line now and then elsewhere.
import type { Progress } from '../rag/ingest/report.ts'

const TERMINAL_MS = 200
const LOG_MS = 3_000

export class ProgressLine {
  readonly #out: NodeJS.WriteStream
  #startedMs = performance.now()
  #lastMs = 0
  #open = false
  #latest: (() => string) | undefined
  #again: NodeJS.Timeout | undefined

  constructor(out: NodeJS.WriteStream) {
    this.#out = out
  }

  /** Called where there is something to wait for, it is told as progress is: of what is over at once nobody hears. */
  waiting(name: string): () => void {
    return () => {
      this.#latest = () => `${name}: another process reads it into this collection; waiting for it`
    }
  }

  documents(name: string): (progress: Progress) => void {
    this.#begin(() => `${name}: reading`)
    return ({ done, total, passages, counts }) => {
      const worked = done - counts.unchanged
      this.#show(
        () =>
          `${name}: ${share(done, total)} documents, ${passages} passages${this.#speed(passages, worked, total === null ? null : total - done)}`,
      )
    }
  }

  passages(total: number): (done: number) => void {
    this.#begin(undefined)
    return (done) =>
      this.#show(() => `embedding anew: ${share(done, total)} passages${this.#speed(done, done, total - done)}`)
  }

  /** What comes next begins on a line of its own. */
  end(): void {
    clearInterval(this.#again)
    if (this.#open) this.#out.write('\n')
    this.#open = false
    this.#lastMs = 0
  }

  /** Also while a single document takes long there is a line now and then. */
  #begin(latest: (() => string) | undefined): void {
    this.#startedMs = performance.now()
    this.#latest = latest
    clearInterval(this.#again)
    this.#again = setInterval(() => {
      if (this.#latest) this.#show(this.#latest)
    }, LOG_MS).unref()
  }

  #show(text: () => string): void {
    this.#latest = text
    const now = performance.now()
    // Of what is done at once nobody needs to be told how far it is.
    if (now - Math.max(this.#lastMs, this.#startedMs) < (this.#out.isTTY ? TERMINAL_MS : LOG_MS)) return
    this.#lastMs = now
    if (this.#out.isTTY) {
      this.#out.write(`\r\u001B[K${text().slice(0, this.#out.columns - 1)}`)
      this.#open = true
    } else this.#out.write(`${text()}\n`)
  }

  #speed(passages: number, done: number, left: number | null): string {
    const seconds = (performance.now() - this.#startedMs) / 1000
    const rate = `, ${Math.round(passages / seconds)} passages/s`
    return left === null || left <= 0 || done === 0 ? rate : `${rate}, about ${duration((left * seconds) / done)} left`
  }
}

const share = (done: number, total: number | null): string => (total === null ? `${done}` : `${done}/${total}`)

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`
}
