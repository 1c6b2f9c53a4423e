import { createServer, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { silentLog } from '../../../observe/log.ts'
import { Connections } from './connection.ts'

test('a connection that breaks in the midst of a transaction fails the query and nothing else', async () => {
  // It greets as PostgreSQL does, and hangs up when it is asked anything.
  const ok = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49])
  const server = createServer((socket: Socket) => {
    socket.once('data', () => {
      socket.write(ok)
      socket.once('data', () => socket.destroy())
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const connections = new Connections(`postgres://u@127.0.0.1:${port}/d`, silentLog())
  for (let i = 0; i < 3; i++)
    await expect(connections.read(async (client) => client.query('select 1'))).rejects.toMatchObject({
      code: 'unavailable',
    })
  await connections.stop()
})
