// AWS Bedrock's Converse as AWS itself holds requests to it, its signature and its binary stream.
import { createHash, createHmac } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { EventStreamCodec } from '@smithy/eventstream-codec'
import { z } from 'zod'
import { type Answer, inPieces, matchResults, must, think } from './mind.ts'

type Json = Record<string, unknown>

const text = z.strictObject({ text: z.string().min(1) })
const content = z.union([
  text,
  z.strictObject({
    toolUse: z.strictObject({
      toolUseId: z.string().regex(/^[a-zA-Z0-9_.:-]{1,64}$/),
      name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
      input: z.record(z.string(), z.unknown()),
    }),
  }),
  z.strictObject({
    toolResult: z.strictObject({
      toolUseId: z.string(),
      content: z.array(z.union([text, z.strictObject({ json: z.looseObject({}) })])),
      status: z.enum(['success', 'error']).optional(),
    }),
  }),
])
const request = z.strictObject({
  messages: z.array(z.strictObject({ role: z.enum(['user', 'assistant']), content: z.array(content).min(1) })).min(1),
  system: z.array(text).optional(),
  inferenceConfig: z
    .strictObject({
      maxTokens: z.number().int().positive().optional(),
      temperature: z.number().min(0).max(1).optional(),
      topP: z.number().optional(),
      stopSequences: z.array(z.string()).optional(),
    })
    .optional(),
  toolConfig: z
    .strictObject({
      tools: z
        .array(
          z.strictObject({
            toolSpec: z.strictObject({
              name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
              description: z.string().min(1).optional(),
              inputSchema: z.strictObject({ json: z.looseObject({ type: z.literal('object') }) }),
            }),
          }),
        )
        .min(1),
      toolChoice: z
        .union([
          z.strictObject({ auto: z.strictObject({}) }),
          z.strictObject({ any: z.strictObject({}) }),
          z.strictObject({ tool: z.strictObject({ name: z.string() }) }),
        ])
        .optional(),
    })
    .optional(),
  outputConfig: z
    .strictObject({
      textFormat: z.strictObject({
        type: z.literal('json_schema'),
        structure: z.strictObject({
          jsonSchema: z.strictObject({ name: z.string(), schema: z.string(), description: z.string().optional() }),
        }),
      }),
    })
    .optional(),
  additionalModelRequestFields: z.looseObject({}).optional(),
  additionalModelResponseFieldPaths: z.array(z.string()).optional(),
})

/** Throws what zod or a rule finds. */
export function answerConverse(body: unknown): Answer {
  const { messages, toolConfig, outputConfig } = request.parse(body)
  must(messages[0]?.role === 'user', 'a conversation must start with a user message')
  let results: ReturnType<typeof matchResults> = []
  for (const [i, { role, content }] of messages.entries()) {
    must(i === 0 || messages[i - 1]?.role !== role, 'roles must alternate')
    const calls = content.flatMap((one) => ('toolUse' in one ? [one.toolUse] : []))
    if (calls.length === 0) continue
    must(role === 'assistant', 'a tool use of the user')
    must(toolConfig !== undefined, 'the toolConfig field must be defined when using toolUse and toolResult blocks')
    const told = (messages[i + 1]?.content ?? []).flatMap((one) => ('toolResult' in one ? [one.toolResult] : []))
    results = matchResults(
      calls.map((one) => ({ id: one.toolUseId, city: String(one.input['city']) })),
      new Map(
        told.map((one) => [
          one.toolUseId,
          one.content.map((part) => ('text' in part ? part.text : JSON.stringify(part.json))).join(''),
        ]),
      ),
    )
  }
  const choice = toolConfig?.toolChoice
  return think({
    tools: toolConfig?.tools.map(({ toolSpec }) => toolSpec.name) ?? [],
    forced: choice && 'tool' in choice ? choice.tool.name : null,
    results,
    json: outputConfig !== undefined,
  })
}

const usage = { inputTokens: 22, cacheReadInputTokens: 8, cacheWriteInputTokens: 0, outputTokens: 12, totalTokens: 42 }
const textOf = (answer: Answer): string => (answer.kind === 'text' ? answer.text : answer.lead)
const stopReason = ({ kind }: Answer): string => (kind === 'text' ? 'end_turn' : 'tool_use')
const toolUses = (answer: Answer) =>
  (answer.kind === 'calls' ? answer.calls : []).map(({ name, args }, i) => ({
    toolUseId: `tooluse_${i}${name}`,
    name,
    input: args,
  }))

export const converseAnswer = (answer: Answer): string =>
  JSON.stringify({
    output: {
      message: {
        role: 'assistant',
        content: [
          ...(textOf(answer) === '' ? [] : [{ text: textOf(answer) }]),
          ...toolUses(answer).map((toolUse) => ({ toolUse })),
        ],
      },
    },
    stopReason: stopReason(answer),
    usage,
    metrics: { latencyMs: 12 },
  })

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes as Uint8Array).toString('utf8'),
  (text) => Buffer.from(text, 'utf8'),
)

export function converseStream(answer: Answer): Buffer {
  const out: Buffer[] = []
  const emit = (type: string, body: Json): void => {
    const named = { ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' }
    const headers = Object.fromEntries(
      Object.entries(named).map(([name, value]) => [name, { type: 'string' as const, value }]),
    )
    out.push(Buffer.from(codec.encode({ headers, body: Buffer.from(JSON.stringify(body)) })))
  }
  emit('messageStart', { role: 'assistant' })
  let contentBlockIndex = 0
  if (textOf(answer) !== '') {
    for (const text of inPieces(textOf(answer))) emit('contentBlockDelta', { contentBlockIndex, delta: { text } })
    emit('contentBlockStop', { contentBlockIndex: contentBlockIndex++ })
  }
  for (const { toolUseId, name, input } of toolUses(answer)) {
    emit('contentBlockStart', { contentBlockIndex, start: { toolUse: { toolUseId, name } } })
    for (const piece of inPieces(JSON.stringify(input)))
      emit('contentBlockDelta', { contentBlockIndex, delta: { toolUse: { input: piece } } })
    emit('contentBlockStop', { contentBlockIndex: contentBlockIndex++ })
  }
  emit('messageStop', { stopReason: stopReason(answer) })
  emit('metadata', { usage, metrics: { latencyMs: 12 } })
  return Buffer.concat(out)
}

const hash = (data: string | Buffer) => createHash('sha256').update(data).digest('hex')
const mac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest()

/** Signature Version 4, done over again by the book. Throws Refused. */
export function checkSignature(secret: string, path: string, headers: IncomingHttpHeaders, body: Buffer): void {
  const given =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/bedrock\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    )
  must(given !== null, 'the request has no signature')
  const [, , day = '', region = '', signed = '', signature = ''] = given
  const names = signed.split(';')
  must(names.includes('host') && names.includes('x-amz-date'), 'host and date must be signed')
  // Outside of S3 every segment is escaped once more.
  const canonicalPath = path.split('/').map(encodeURIComponent).join('/')
  const canonical = [
    'POST',
    canonicalPath,
    '',
    ...names.map((name) => `${name}:${String(headers[name]).trim()}`),
    '',
    signed,
    hash(body),
  ].join('\n')
  const scope = `${day}/${region}/bedrock/aws4_request`
  const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, hash(canonical)].join('\n')
  const key = mac(mac(mac(mac(`AWS4${secret}`, day), region), 'bedrock'), 'aws4_request')
  must(mac(key, toSign).toString('hex') === signature, 'the request signature we calculated does not match')
}
