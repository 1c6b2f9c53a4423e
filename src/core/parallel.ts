// Many outside calls, a few at a time.

/** Maps in order of the items with at most `limit` under way. The first failure rejects and no further item is begun. */
export async function mapParallel<T, R>(
  items: readonly T[],
  limit: number,
  map: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  const left = items.entries()
  let failed = false
  const work = async (): Promise<void> => {
    for (const [i, item] of left) {
      if (failed) return
      try {
        results[i] = await map(item)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work))
  return results
}
