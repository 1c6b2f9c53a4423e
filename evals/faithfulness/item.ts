// What the hand-made sets are made of.

export interface Item {
  readonly document: string
  readonly sentence: string
  /** Whether the document says so. */
  readonly faithful: boolean
}

export interface Asked {
  readonly question: string
  /** Words that an answer has to have; null: the documents do not say. */
  readonly expects: string | null
}

export interface FaithfulnessSet {
  readonly name: string
  readonly documents: Readonly<Record<string, string>>
  readonly items: readonly Item[]
  readonly questions: readonly Asked[]
}

export const yes = (document: string, sentence: string): Item => ({ document, sentence, faithful: true })
export const not = (document: string, sentence: string): Item => ({ document, sentence, faithful: false })
