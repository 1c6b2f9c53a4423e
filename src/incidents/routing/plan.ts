// When an incident is classified: a while after it opened, and again whenever something changed that its route hangs on.
import type { Db } from '../../db/connect.ts'
import { enqueue, type QueueTables } from '../../db/queue.ts'

/** In the transaction of what makes it necessary. `once` tells one reason from the others: the same again does nothing. */
export async function planToClassify<Tables extends QueueTables>(
  trx: Db<Tables>,
  incidentId: string,
  once: string,
  runAtMs: number,
): Promise<void> {
  await enqueue(trx, { kind: 'classify', key: `${incidentId}:${once}`, payload: { incidentId }, runAtMs })
}
