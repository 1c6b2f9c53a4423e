// The commands as a shell sees them: processes with an exit code and two streams.
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { tempFolder } from '../../test/temp.ts'

const MAIN = join(import.meta.dirname, '../main.ts')

function midwatch(args: readonly string[], environment: Record<string, string> = {}, cwd = tempFolder()) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env['PATH'], ...environment },
    cwd,
  })
  let said = ''
  child.stdout.on('data', (data: Buffer) => (said += data.toString()))
  child.stderr.on('data', (data: Buffer) => (said += data.toString()))
  return new Promise<{ code: number | null; said: string }>((resolve) =>
    child.once('close', (code) => resolve({ code, said })),
  )
}

test('wrong usage is told in a sentence, with exit code 2', async () => {
  expect(await midwatch(['start', '--roles', 'gateway,boss'])).toEqual({
    code: 2,
    said: expect.stringContaining('There is no role boss. Take gateway, rag, agent.') as string,
  })
})

test('a command that lacks its key is told where to put one, and never to send a header', async () => {
  const server = createServer((_request, response) => {
    response.writeHead(401, { 'content-type': 'application/json' })
    response.end('{"error":{"message":"Send it as \\"Authorization: Bearer KEY\\"."}}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const without = await midwatch(['incidents', '--url', url])
  expect(without).toEqual({ code: 1, said: expect.stringContaining('Set MIDWATCH_KEY') as string })
  const wrong = await midwatch(['incidents', '--url', url], { MIDWATCH_KEY: 'mw_old' })
  expect(wrong).toEqual({ code: 1, said: expect.stringContaining('does not take the key in MIDWATCH_KEY') as string })
})

test('a config check takes its file as all other commands do, too', async () => {
  const { code, said } = await midwatch(['config', 'check', '--config', '/nowhere.yaml'])
  expect([code, said]).toEqual([1, expect.stringContaining('/nowhere.yaml')])
})

test('a config check names the file it found, also when it is wrong', async () => {
  const folder = tempFolder()
  const file = join(folder, 'midwatch.yaml')
  writeFileSync(file, 'server: { prot: 1 }')
  const { code, said } = await midwatch(['config', 'check'], {}, folder)
  expect([code, said]).toEqual([1, expect.stringContaining(`${file}:\n  - server`)])
})

test('a config check tells which file of a model is not there', async () => {
  const folder = tempFolder()
  const file = join(folder, 'midwatch.yaml')
  writeFileSync(file, 'providers: { own: { kind: local, path: m.gguf } }')
  const { code, said } = await midwatch(['config', 'check'], {}, folder)
  expect([code, said]).toEqual([1, expect.stringContaining(`providers.own.path: there is no file ${folder}/m.gguf`)])
  writeFileSync(join(folder, 'm.gguf'), 'GGUF')
  expect(await midwatch(['config', 'check'], {}, folder)).toMatchObject({ code: 0 })
})

test('a healthy time that is not there is told, and not diagnosed without', async () => {
  const { code, said } = await midwatch(['diagnose', 'case-1', '--baseline', 'nowhere'])
  expect([code, said]).toEqual([1, expect.stringContaining('There is no folder nowhere.')])
})

test('a key is made with its team and its limits, and the list shows them', async () => {
  const data = tempFolder()
  const common = ['keys', 'create', '--data', data, '--name', 'shop', '--scope', 'llm:chat']
  const limits = ['--team', 'web', '--requests-per-minute', '60', '--concurrency', '4', '--budget', '500/month']
  expect(await midwatch([...common, ...limits])).toMatchObject({ code: 0 })
  const { said } = await midwatch(['keys', 'list', '--data', data])
  expect(said).toContain('shop  (team web, 60 requests/minute, 4 at once, $500/month)')
  const wrong = await midwatch([...common, '--budget', '500'])
  expect(wrong).toEqual({ code: 2, said: expect.stringContaining('500/month') as string })
})
