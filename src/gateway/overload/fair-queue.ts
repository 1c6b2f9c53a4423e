// Waiting by turns: each tenant has its own line, and the lines are served in turn, one item each. Whoever comes with one
// item waits for at most one item of everybody else, however long their lines are.

interface Line<T> {
  readonly tenant: string
  oldest: Place<T> | null
  newest: Place<T> | null
  length: number
}

/** Where an item stands. */
export interface Place<T> {
  readonly item: T
  readonly line: Line<T>
  older: Place<T> | null
  newer: Place<T> | null
  gone: boolean
}

export class FairQueue<T> {
  /** In the order of their turns: a Map keeps the order of insertion. */
  readonly #lines = new Map<string, Line<T>>()
  #length = 0

  get length(): number {
    return this.#length
  }

  get tenants(): number {
    return this.#lines.size
  }

  /** How many of a tenant's wait. */
  lengthOf(tenant: string): number {
    return this.#lines.get(tenant)?.length ?? 0
  }

  push(tenant: string, item: T): Place<T> {
    let line = this.#lines.get(tenant)
    if (!line) this.#lines.set(tenant, (line = { tenant, oldest: null, newest: null, length: 0 }))
    const place: Place<T> = { item, line, older: line.newest, newer: null, gone: false }
    if (line.newest) line.newest.newer = place
    else line.oldest = place
    line.newest = place
    line.length++
    this.#length++
    return place
  }

  /** Takes the item whose turn it is. */
  next(): T | undefined {
    for (const line of this.#lines.values()) {
      const place = line.oldest
      if (!place) continue
      this.remove(place)
      // Behind all the others for its next turn.
      if (this.#lines.delete(line.tenant) && line.length > 0) this.#lines.set(line.tenant, line)
      return place.item
    }
    return undefined
  }

  /** Also in the middle; an item that is gone already stays gone. */
  remove(place: Place<T>): void {
    if (place.gone) return
    place.gone = true
    const { line, older, newer } = place
    if (older) older.newer = newer
    else line.oldest = newer
    if (newer) newer.older = older
    else line.newest = older
    line.length--
    this.#length--
    if (line.length === 0) this.#lines.delete(line.tenant)
  }

  /** Takes the newest item of the longest line, if that line is longer than `length`. */
  dropFromLongest(length: number): T | undefined {
    let longest: Line<T> | undefined
    for (const line of this.#lines.values()) if (line.length > (longest?.length ?? length)) longest = line
    const place = longest?.newest
    if (place) this.remove(place)
    return place?.item
  }
}
