// The bank that takes the cards, and its backup: other people's systems, so no metrics and no log. It answers late
// when told to, and refuses a token that ran out.
import { createServer } from 'node:http'
import { listen } from '../http-service.ts'
import { runChild } from '../child.ts'
import { pause } from '../pause.ts'

const USUAL = { minMs: 25, maxMs: 60 }

runChild(async () => {
  const tokens = new Map<string, number>()
  let primary = USUAL

  const serve = (delay: () => { minMs: number; maxMs: number }) =>
    createServer((request, response) => {
      void (async () => {
        request.resume()
        const { minMs, maxMs } = delay()
        const expiresAt = tokens.get((request.headers.authorization ?? '').replace('Bearer ', ''))
        const reply = (status: number, body: unknown) =>
          response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
        if (expiresAt === undefined) return reply(401, { error: 'unknown token' })
        if (request.url === '/token') return reply(200, { expiresAt })
        await pause(minMs + Math.random() * (maxMs - minMs))
        if (expiresAt < Date.now())
          return reply(401, { error: `token expired at ${new Date(expiresAt).toISOString()}` })
        reply(200, { authorised: true })
      })()
    })

  const first = serve(() => primary)
  const backup = serve(() => USUAL)
  const ports = { acquirer: await listen(first, 0), 'acquirer-backup': await listen(backup, 0) }
  return {
    ports,
    trouble: (trouble) => {
      if (trouble.kind === 'token') {
        // A new token is valid at once; all older ones run out now.
        for (const [token, until] of tokens) tokens.set(token, Math.min(until, Date.now()))
        tokens.set(trouble.token, trouble.expiresAtMs)
      } else {
        primary = trouble.kind === 'slow-answers' ? trouble : USUAL
      }
    },
    drain: async () => {
      first.close()
      backup.close()
    },
  }
})
