// A Redis of its own for a test: no files, a port that the system chose, only reachable from here.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'

export interface RedisServer {
  readonly url: string
  readonly port: number
  readonly pid: number
  stop(): Promise<void>
}

/** Resolves when it takes connections. Another process may take a free port first: then another one is tried. */
export async function startRedis(program: string, port?: number): Promise<RedisServer> {
  for (let tries = 0; ; tries++) {
    const server = await start(program, port ?? (await freePort()))
    if (server) return server
    if (tries === 5) throw new Error('redis-server did not start: it found its port taken again and again')
  }
}

async function start(program: string, port: number): Promise<RedisServer | undefined> {
  const child = spawn(
    program,
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--daemonize', 'no'],
    { stdio: ['ignore', 'pipe', 'ignore'], cwd: '/' },
  )
  const gone = once(child, 'exit')
  const ready = await Promise.race([
    gone.then(() => false),
    (async () => {
      for await (const line of createInterface({ input: child.stdout })) {
        if (line.includes('Ready to accept connections')) return true
      }
      return false
    })(),
  ])
  if (!ready) return undefined
  child.stdout.resume()
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid: child.pid as number,
    stop: async () => {
      child.kill('SIGKILL')
      await gone
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
