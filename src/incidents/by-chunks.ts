// Many values asked about in one question would be more than a statement may hold, and a long time for the rest of the process.
import { breath } from './breath.ts'

/** Values in one question. */
const CHUNK = 300

/** Asks about a few hundred at a time, and lets the rest of the process run in between. */
export async function byChunks<Value, Row>(
  values: readonly Value[],
  ask: (some: readonly Value[]) => Promise<readonly Row[]>,
): Promise<Row[]> {
  const rows: Row[] = []
  const pause = breath()
  for (let at = 0; at < values.length; at += CHUNK) {
    for (const row of await ask(values.slice(at, at + CHUNK))) rows.push(row)
    await pause()
  }
  return rows
}
