// What a Node process really holds on to, asked through its own inspector after its garbage was collected.
import { once } from 'node:events'

/** Bytes of objects and of buffers. `log`: what the process wrote, where its inspector's address stands. */
export async function heldBytes(log: string): Promise<number> {
  const address = /ws:\/\/127\.0\.0\.1:\d+\/[\w-]+/.exec(log)?.[0]
  if (address === undefined) throw new Error('the process was not started with --inspect')
  const socket = new WebSocket(address)
  await once(socket, 'open')
  const answers = new Map<number, PromiseWithResolvers<Record<string, number>>>()
  socket.addEventListener('message', ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { id: number; result: Record<string, number> }
    answers.get(id)?.resolve(result)
  })
  const call = (method: string): Promise<Record<string, number>> => {
    const id = answers.size + 1
    const answer = Promise.withResolvers<Record<string, number>>()
    answers.set(id, answer)
    socket.send(JSON.stringify({ id, method }))
    return answer.promise
  }
  try {
    // What finalizers let go of is only gone the second time.
    await call('HeapProfiler.collectGarbage')
    await call('HeapProfiler.collectGarbage')
    const { usedSize = 0, backingStorageSize = 0 } = await call('Runtime.getHeapUsage')
    return usedSize + backingStorageSize
  } finally {
    socket.close()
  }
}
