// The neutral language of embeddings, for the parts of Midwatch that compare texts and do not care by which model.

export interface EmbeddingModel {
  /** What made the vectors, with everything that changes them: `use-lite@0.2.0`, `gateway:text-embedding-3-small`. Stored with them. */
  readonly id: string
  readonly dimension: number
  /**
   * The vectors of each text, in order, each of unit length: one, or one for each sentence or window of a text that is
   * longer than the model reads; a passage is as near as its nearest vector. Never an empty list for a text that is not
   * blank. Throws AppError, and whatever `signal` was aborted with.
   */
  embedPassages(texts: readonly string[], signal: AbortSignal): Promise<readonly (readonly Float32Array[])[]>
  /** The one vector of a question; of a longer text, of its beginning. Unit length. */
  embedQuery(text: string, signal: AbortSignal): Promise<Float32Array>
  stop(): Promise<void>
}
