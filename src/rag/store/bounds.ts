// What is taken from whoever asks, in every store.
import type { IndexQuery } from './store.ts'

/** No more hits are given, whatever is asked. */
const MAX_HITS = 1000

/** No more words are counted, whatever is asked. */
export const MAX_COUNTED = 256

export const boundedLimit = ({ limit }: IndexQuery): number => Math.min(MAX_HITS, Math.max(0, Math.floor(limit)))

/** A passage's number from its id; 0, which no passage has, for what is no id of ours. */
export const passageNumber = (id: string): number => (/^[1-9]\d{0,15}$/.test(id) ? Number(id) : 0)
