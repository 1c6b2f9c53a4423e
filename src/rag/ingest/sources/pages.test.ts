import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { tempFolder } from '../../../../test/temp.ts'
import type { ReadResult, SourceItem } from '../source.ts'
import { createAddressRules } from './addresses.ts'
import { createFetcher } from './fetch-page.ts'
import { createPagesSource } from './pages.ts'

const signal = new AbortController().signal

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function fetcher(allow: readonly string[], deadlineMs?: number) {
  const made = createFetcher(createAddressRules(allow), deadlineMs)
  onTestFinished(() => made.stop())
  return made
}

const LOOPBACK = ['127.0.0.1']

describe('fetching a page', () => {
  test('gives its bytes, its type, and what the server says of its version', async () => {
    const url = await serve((_request, response) => {
      response
        .writeHead(200, { 'content-type': 'text/html; charset=utf-8', etag: '"1"', 'last-modified': 'Mon' })
        .end('<p>hi')
    })
    expect(await fetcher(LOOPBACK).fetch(url, {}, signal)).toEqual({
      kind: 'page',
      bytes: Buffer.from('<p>hi'),
      mediaType: 'text/html; charset=utf-8',
      validators: { etag: '"1"', lastModified: 'Mon' },
    })
  })

  test('never asks the own network, be it named by an address, by a name, or by a page elsewhere', async () => {
    let asked = 0
    const url = await serve((_request, response) => void (asked++, response.end('secret')))
    const port = new URL(url).port
    const none = fetcher([])
    for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '0x7f.1', '2130706433'])
      await expect(none.fetch(`http://${host}:${port}/`, {}, signal), host).rejects.toThrow('not public')
    const redirecting = await serve((_request, response) => {
      response.writeHead(302, { location: `http://127.0.0.2:${port}/` }).end()
    })
    await expect(fetcher(LOOPBACK).fetch(redirecting, {}, signal)).rejects.toThrow('127.0.0.2 is at')
    expect(asked).toBe(0)
  })

  test('follows where a page leads on, not without end, and not to other protocols', async () => {
    const url = await serve((request, response) => {
      const hop = Number(request.url?.slice(1))
      if (hop === 0) response.end('there')
      else response.writeHead(302, { location: hop === 50 ? 'file:///etc/passwd' : `/${hop - 1}` }).end()
    })
    expect(await fetcher(LOOPBACK).fetch(`${url}/5`, {}, signal)).toMatchObject({ bytes: Buffer.from('there') })
    await expect(fetcher(LOOPBACK).fetch(`${url}/6`, {}, signal)).rejects.toThrow('more than 5 times')
    await expect(fetcher(LOOPBACK).fetch(`${url}/50`, {}, signal)).rejects.toThrow('only http and https')
  })

  test('ends where the server hangs, trickles, sends without end, or packs', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/trickle') {
        response.writeHead(200)
        const timer = setInterval(() => response.write('x'), 10)
        response.on('close', () => clearInterval(timer))
      } else if (request.url === '/flood') {
        const more = () => {
          while (response.write(Buffer.alloc(1024 * 1024)));
        }
        response.on('drain', more)
        more()
      } else if (request.url === '/packed') response.writeHead(200, { 'content-encoding': 'gzip' }).end('x')
    })
    await expect(fetcher(LOOPBACK, 200).fetch(`${url}/hang`, {}, signal)).rejects.toThrow('within 0.2 s')
    await expect(fetcher(LOOPBACK, 200).fetch(`${url}/trickle`, {}, signal)).rejects.toThrow('within 0.2 s')
    await expect(fetcher(LOOPBACK).fetch(`${url}/flood`, {}, signal)).rejects.toThrow('larger than a document may be')
    await expect(fetcher(LOOPBACK).fetch(`${url}/packed`, {}, signal)).rejects.toThrow('packed')
  })

  test('tells apart what is gone and what only fails', async () => {
    const url = await serve((request, response) => void response.writeHead(Number(request.url?.slice(1))).end())
    expect(await fetcher(LOOPBACK).fetch(`${url}/404`, {}, signal)).toMatchObject({ kind: 'gone' })
    expect(await fetcher(LOOPBACK).fetch(`${url}/410`, {}, signal)).toMatchObject({ kind: 'gone' })
    await expect(fetcher(LOOPBACK).fetch(`${url}/500`, {}, signal)).rejects.toThrow('status 500')
    await expect(fetcher(LOOPBACK).fetch('http://127.0.0.1:1/', {}, signal)).rejects.toThrow('cannot be fetched')
  })
})

describe('pages as a source', () => {
  let asked: (string | undefined)[]
  let version: string
  beforeEach(() => {
    asked = []
    version = '"1"'
  })

  async function source() {
    const url = await serve((request, response) => {
      asked.push(request.headers['if-none-match'])
      if (request.headers['if-none-match'] === version) response.writeHead(304).end()
      else response.writeHead(200, { etag: version }).end(version)
    })
    const memoryFile = join(tempFolder(), 'knowledge/pages.json')
    const read = async (known: string | undefined, keep?: string): Promise<ReadResult> => {
      const pages = createPagesSource([url.replace('//', '//user:password@')], {
        fetcher: fetcher(LOOPBACK),
        memoryFile,
      })
      const [item] = (await pages.list(signal)).items as SourceItem[]
      if (item?.kind !== 'document') throw new Error('no document')
      const result = await item.read(known, signal)
      if (keep !== undefined && result.kind === 'read') result.stored?.(keep)
      await pages.finish?.()
      return result
    }
    return { url, read }
  }

  test('a page that did not change is not sent again, over restarts', async () => {
    const { read } = await source()
    await read(undefined, 'hash')
    expect(await read('hash')).toEqual({ kind: 'unchanged' })
    version = '"2"'
    expect(await read('hash', 'hash2')).toMatchObject({ kind: 'read' })
    expect(await read('hash2')).toEqual({ kind: 'unchanged' })
    expect(asked).toEqual([undefined, '"1"', '"1"', '"2"'])
  })

  test('a page that does not stand in the store as it was then is fetched whole', async () => {
    const { read } = await source()
    await read(undefined, 'hash')
    expect(await read(undefined)).toMatchObject({ kind: 'read' })
    expect(await read('another hash')).toMatchObject({ kind: 'read' })
    expect(asked).toEqual([undefined, undefined, undefined])
  })

  test('a password in the address is not kept', async () => {
    const { url, read } = await source()
    expect(await read(undefined)).toMatchObject({ document: { id: `${url}/`, source: `${url}/` } })
  })
})
