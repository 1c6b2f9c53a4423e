// What every provider that is asked over HTTP promises the gateway, as tests that run against each of them: what it
// answered in its own recorded bytes, and what it does when things go wrong. A provider's test says how it is made, what
// its server sends, and what that means.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Ask, DialectName } from '../llm/dialect.ts'
import type { AnswerEvent } from '../llm/events.ts'
import type { Frame } from '../llm/frames.ts'
import { type FailureKind, type FrameSink, type Provider, ProviderFailure } from '../llm/provider.ts'
import type { NeutralChat } from '../llm/request.ts'
import { saidIn } from '../llm/testing/said.ts'
import { inPieces, type Peer, startPeer, withStatus } from './testing/peer.ts'

export interface Recorded {
  readonly what: 'plain' | 'text' | 'tools' | 'parallel tools' | 'reasoning' | (string & {})
  readonly stream: boolean
  readonly body: Buffer
  /** What it says, its pieces joined; ids of parts and times do not count. */
  readonly said: readonly unknown[]
}

export interface Refused {
  readonly what: string
  readonly status: number
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
  readonly kind: FailureKind
  readonly retryAfterSeconds?: number
  /** Whether the caller may read what it said. */
  readonly told: boolean
}

export interface ProviderContract {
  readonly name: string
  /** A provider at this address, with `SECRET` for its key. */
  create(origin: string): Provider
  readonly model: string
  /** A dialect that it does not speak; Responses where it is not given. */
  readonly foreign?: DialectName
  /** Content type of its streams. */
  readonly streamType: string
  readonly recorded: readonly Recorded[]
  readonly refused: readonly Refused[]
  /** Bytes of its stream that tell an error. */
  readonly errorInStream: { readonly body: Buffer; readonly kind: FailureKind }
  /** Bytes of its stream that are none of its protocol. */
  readonly malformedStream: Buffer
  /** Requests in a dialect that it speaks, whose answers pass as they are. */
  readonly own?: (stream: boolean) => Ask
}

export const SECRET = 'sk-the-secret-key-of-the-contract'

const REQUEST: NeutralChat = {
  kind: 'chat',
  messages: [{ role: 'user', parts: [{ kind: 'text', text: 'Hi' }] }],
  tools: [{ name: 'search', description: 'Finds things', parameters: { type: 'object', properties: {} } }],
  maxOutputTokens: 100,
}

/** Asked in a dialect that the provider does not speak. */
const foreignIn = (dialect: DialectName, stream: boolean): Ask => ({
  dialect,
  body: Buffer.from('{}'),
  model: 'fast',
  stream,
  wantsUsage: true,
  choices: 1,
  maxOutputTokens: 100,
  temperature: null,
  user: null,
  demands: new Set(),
  promptCharacters: () => 2,
  neutral: () => REQUEST,
})

class Collector implements FrameSink {
  readonly frames: Frame[] = []
  connects = 0

  connected(): void {
    this.connects++
  }

  take(frames: readonly Frame[]): Promise<void> | undefined {
    this.frames.push(...frames)
    return undefined
  }

  get events(): AnswerEvent[] {
    return this.frames.flatMap(({ events }) => events)
  }
}

export function describeProvider(contract: ProviderContract): void {
  describe(contract.name, () => {
    let peer: Peer
    let provider: Provider
    const foreign = (stream: boolean) => foreignIn(contract.foreign ?? 'openai-responses', stream)

    beforeEach(async () => {
      peer = await startPeer()
      provider = contract.create(peer.origin)
    })
    afterEach(async () => {
      await provider.stop()
      await peer.stop()
    })

    const call = (ask: Ask, sink: FrameSink, verbatim = false, signal = new AbortController().signal) =>
      provider.call({ ask, model: contract.model, verbatim, requestId: 'req_1' }, sink, signal)

    const failing = async (ask: Ask, sink: FrameSink = new Collector(), verbatim = false): Promise<ProviderFailure> => {
      const thrown: unknown = await call(ask, sink, verbatim).then(
        () => undefined,
        (error: unknown) => error,
      )
      if (!(thrown instanceof ProviderFailure)) throw new Error(`it did not fail but ${String(thrown)}`)
      const { reply } = thrown.detail
      expect(`${thrown.message} ${JSON.stringify(thrown.detail)} ${reply?.body.toString()}`).not.toContain(SECRET)
      return thrown
    }

    const typeOf = ({ stream }: Recorded) => (stream ? contract.streamType : 'application/json')
    const streams = contract.recorded.filter(({ stream }) => stream)
    const [longest] = streams.toSorted((a, b) => b.body.length - a.body.length)
    if (!longest) throw new Error('the contract needs a recorded stream')

    test.each(contract.recorded)('$what (stream: $stream) is read as what it says', async (recorded) => {
      peer.answer(inPieces(typeOf(recorded), [recorded.body]))
      const sink = new Collector()
      await call(foreign(recorded.stream), sink)
      expect(saidIn(sink.events)).toMatchObject(recorded.said)
      expect(saidIn(sink.events)).toHaveLength(recorded.said.length)
      expect(sink.connects).toBe(1)
      expect(sink.frames.some(({ complete }) => complete)).toBe(true)
      expect(sink.frames.every(({ bytes }) => bytes.length === 0)).toBe(true)
    })

    test.each(streams)('$what, cut at any place by the network, says the same', async ({ body, said }) => {
      const step = Math.max(1, Math.floor(body.length / 40))
      for (let at = 1; at < body.length; at += step) {
        peer.answer(inPieces(contract.streamType, [body.subarray(0, at), body.subarray(at)]))
        const sink = new Collector()
        await call(foreign(true), sink)
        expect(saidIn(sink.events), `cut at ${at}`).toMatchObject(said)
      }
    })

    test.each(contract.recorded)('$what (stream: $stream) tells what was used', async (recorded) => {
      peer.answer(inPieces(typeOf(recorded), [recorded.body]))
      const sink = new Collector()
      await call(foreign(recorded.stream), sink)
      const usage = sink.frames.findLast((frame) => frame.usage !== null)?.usage
      expect(usage).toBeDefined()
      expect(sink.events.findLast(({ kind }) => kind === 'usage')).toEqual({ kind: 'usage', usage })
    })

    test.runIf(contract.own)('in a dialect that it speaks, every byte passes', async () => {
      for (const { stream, body } of contract.recorded) {
        peer.answer(inPieces(stream ? contract.streamType : 'application/json', [body]))
        const sink = new Collector()
        await call(contract.own?.(stream) ?? foreign(stream), sink, true)
        expect(Buffer.concat(sink.frames.map(({ bytes }) => bytes)).equals(body)).toBe(true)
        expect(sink.events).toEqual([])
      }
    })

    test.each(contract.refused)('$what is $kind', async (refused) => {
      peer.answer(withStatus(refused.status, refused.body, refused.headers))
      for (const stream of [true, false]) {
        const { kind, detail } = await failing(foreign(stream))
        expect(kind).toBe(refused.kind)
        expect(detail.retryAfterSeconds).toBe(refused.retryAfterSeconds)
        expect(detail.publicMessage !== undefined).toBe(refused.told)
        expect(detail.reply, 'its own words mean nothing in another dialect').toBeUndefined()
      }
      if (!contract.own) return
      const { detail } = await failing(contract.own(true), new Collector(), true)
      expect(detail.reply?.body.toString()).toBe(refused.told ? refused.body : undefined)
    })

    test('an error that quotes the key is told without it', async () => {
      for (const { status, body } of contract.refused.filter(({ told }) => told)) {
        peer.answer(withStatus(status, body.replace(/"message"\s*:\s*"/i, `$&${SECRET} is no key. `)))
        for (const ask of [foreign(true), foreign(false)])
          expect((await failing(ask)).message).toContain('*** is no key')
        if (contract.own) await failing(contract.own(true), new Collector(), true)
      }
    })

    const plain = contract.recorded.filter(({ stream }) => !stream)
    test.each(plain)(
      '$what is read also behind a byte order mark, and compressed against our wish',
      async (recorded) => {
        const { body } = recorded
        const forms = [
          [Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), body]), undefined],
          [gzipSync(body), 'gzip'],
          [brotliCompressSync(gzipSync(body)), 'GZIP, br'],
        ] as const
        for (const [bytes, encoding] of forms) {
          peer.answer((response) => {
            response.writeHead(200, encoding === undefined ? {} : { 'content-encoding': encoding })
            response.end(bytes)
          })
          const sink = new Collector()
          await call(foreign(false), sink)
          expect(saidIn(sink.events)).toMatchObject(recorded.said)
        }
        peer.answer((response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(body))
        expect((await failing(foreign(false))).kind).toBe('upstream_malformed')
      },
    )

    test.each(contract.recorded)(
      '$what (stream: $stream) is read behind a 100 Continue that nobody asked for',
      async (one) => {
        for (let time = 0; time < 2; time++) {
          peer.answer(async (response) => {
            response.writeContinue()
            if (time === 1) response.writeContinue()
            await inPieces(typeOf(one), [one.body])(response)
          })
          const sink = new Collector()
          await call(foreign(one.stream), sink)
          expect(saidIn(sink.events)).toMatchObject(one.said)
        }
      },
    )

    test('an error inside a stream under 200 is a failure, after what was good before it', async () => {
      const { body, kind } = contract.errorInStream
      peer.answer(inPieces(contract.streamType, [body]))
      expect((await failing(foreign(true))).kind).toBe(kind)
    })

    test('a connection that breaks is a cut, wherever it breaks', async () => {
      for (const share of [0, 0.3, 0.7]) {
        peer.answer(inPieces(contract.streamType, [longest.body.subarray(0, longest.body.length * share)], 'cut'))
        const sink = new Collector()
        expect((await failing(foreign(true), sink)).kind).toBe('upstream_cut')
        expect(sink.frames.some(({ complete }) => complete)).toBe(false)
      }
    })

    test('what is not its protocol is malformed, streamed and plain', async () => {
      peer.answer(inPieces(contract.streamType, [contract.malformedStream]))
      expect((await failing(foreign(true))).kind).toBe('upstream_malformed')
      for (const body of ['<html>Bad gateway</html>', '', '[]', '{"half":']) {
        peer.answer(inPieces('application/json', [Buffer.from(body)]))
        expect((await failing(foreign(false))).kind).toBe('upstream_malformed')
      }
    })

    test('nobody there is unreachable', async () => {
      await peer.stop()
      expect((await failing(foreign(true))).kind).toBe('upstream_unreachable')
      peer = await startPeer()
    })

    test('an abort ends the call to the provider, and is what the call throws', async () => {
      const abort = new AbortController()
      const reason = new Error('enough')
      peer.answer(async (response) => {
        response.writeHead(200, { 'content-type': contract.streamType })
        response.write(longest.body.subarray(0, longest.body.length / 2))
        await nextTurn()
        abort.abort(reason)
      })
      const hungUp = peer.hungUp()
      await expect(call(foreign(true), new Collector(), false, abort.signal)).rejects.toBe(reason)
      await hungUp
      await expect(call(foreign(true), new Collector(), false, abort.signal)).rejects.toBe(reason)
    })

    test('nothing more is read while the sink asks to wait', async () => {
      const half = longest.body.length / 2
      peer.answer(inPieces(contract.streamType, [longest.body.subarray(0, half), longest.body.subarray(half)]))
      const sink = new Collector()
      const first = Promise.withResolvers<undefined>()
      const gate = Promise.withResolvers<undefined>()
      let taken = 0
      const slow: FrameSink = {
        connected: () => undefined,
        take: (frames) => {
          taken++
          first.resolve(undefined)
          void sink.take(frames)
          return gate.promise
        },
      }
      const done = call(foreign(true), slow)
      await first.promise
      for (let turn = 0; turn < 200; turn++) await nextTurn()
      expect(taken).toBe(1)
      gate.resolve(undefined)
      await done
      expect(saidIn(sink.events)).toMatchObject(longest.said)
    })

    test('what a sink throws ends the call', async () => {
      peer.answer(inPieces(contract.streamType, [longest.body]))
      const broken = new Error('the sink is broken')
      const throws: FrameSink = {
        connected: () => undefined,
        take: () => {
          throw broken
        },
      }
      await expect(call(foreign(true), throws)).rejects.toBe(broken)
    })

    test('the request says which of ours it is, and is JSON for its own model', async () => {
      peer.answer(inPieces(contract.streamType, [longest.body]))
      await call(foreign(true), new Collector())
      const [received] = peer.received
      expect(JSON.stringify(received)).toContain('Hi')
      expect(JSON.stringify(received)).toContain('search')
      expect(received?.headers).toMatchObject({ 'accept-encoding': 'identity' })
    })
  })
}
