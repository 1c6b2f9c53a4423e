// Google's generateContent as Google itself holds requests to it, with a model that signs its calls.
import { z } from 'zod'
import { type Answer, inPieces, matchResults, must, think, vectorOf } from './mind.ts'

type Json = Record<string, unknown>

const SIGNATURE = 'c2lnbmVkLWJ5LWdvb2dsZQ=='
const part = z.union([
  z.strictObject({ text: z.string(), thought: z.boolean().optional(), thoughtSignature: z.string().optional() }),
  z.strictObject({
    functionCall: z.strictObject({
      id: z.string().optional(),
      name: z.string(),
      args: z.record(z.string(), z.unknown()).optional(),
    }),
    thoughtSignature: z.enum([SIGNATURE, 'skip_thought_signature_validator']).optional(),
  }),
  z.strictObject({
    functionResponse: z.strictObject({
      id: z.string().optional(),
      name: z.string(),
      response: z.record(z.string(), z.unknown()),
    }),
  }),
])

const request = z.strictObject({
  contents: z.array(z.strictObject({ role: z.enum(['user', 'model']), parts: z.array(part).min(1) })).min(1),
  systemInstruction: z.strictObject({ parts: z.array(z.strictObject({ text: z.string() })).min(1) }).optional(),
  tools: z
    .array(
      z.strictObject({
        functionDeclarations: z.array(
          z.strictObject({
            name: z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$/),
            description: z.string().optional(),
            parametersJsonSchema: z.looseObject({ type: z.literal('object') }).optional(),
          }),
        ),
      }),
    )
    .optional(),
  toolConfig: z
    .strictObject({
      functionCallingConfig: z.strictObject({
        mode: z.enum(['AUTO', 'ANY', 'NONE']),
        allowedFunctionNames: z.array(z.string()).optional(),
      }),
    })
    .optional(),
  generationConfig: z
    .strictObject({
      temperature: z.number().optional(),
      topP: z.number().optional(),
      topK: z.number().optional(),
      maxOutputTokens: z.number().int().positive().optional(),
      stopSequences: z.array(z.string()).optional(),
      responseMimeType: z.enum(['text/plain', 'application/json']).optional(),
      responseJsonSchema: z.looseObject({}).optional(),
      thinkingConfig: z
        .strictObject({ includeThoughts: z.boolean().optional(), thinkingLevel: z.string().optional() })
        .optional(),
    })
    .optional(),
})

/** Throws what zod or a rule finds. */
export function answerGemini(body: unknown): Answer {
  const { contents, tools = [], toolConfig, generationConfig } = request.parse(body)
  must(contents[0]?.role === 'user', 'contents must begin with the user')
  must(
    generationConfig?.responseJsonSchema === undefined || generationConfig.responseMimeType === 'application/json',
    'a schema needs application/json',
  )
  let results: ReturnType<typeof matchResults> = []
  for (const [i, { role, parts }] of contents.entries()) {
    const calls = parts.flatMap((one) => ('functionCall' in one ? [one] : []))
    const answers = parts.flatMap((one) => ('functionResponse' in one ? [one.functionResponse] : []))
    must(answers.length === 0 || role === 'user', 'a function response of the model')
    must(
      answers.length === 0 || contents[i - 1]?.parts.some((one) => 'functionCall' in one) === true,
      'a function response turn must come right after a function call turn',
    )
    if (calls.length === 0) continue
    must(role === 'model', 'a function call of the user')
    must(calls[0]?.thoughtSignature !== undefined, 'function call is missing a thought_signature')
    const told = (contents[i + 1]?.parts ?? []).flatMap((one) =>
      'functionResponse' in one ? [one.functionResponse] : [],
    )
    must(
      told.length === calls.length,
      'the number of function response parts must equal the number of function call parts',
    )
    // Matched in turn: ids are optional.
    results = matchResults(
      calls.map((one, at) => ({ id: String(at), city: String(one.functionCall.args?.['city']) })),
      new Map(
        told.map((one, at) => {
          must(one.name === calls[at]?.functionCall.name, 'a function response by another name')
          must(one.id === calls[at]?.functionCall.id, 'a function response with another id')
          return [String(at), saidIn(one.response)]
        }),
      ),
    )
  }
  const { mode, allowedFunctionNames: allowed } = toolConfig?.functionCallingConfig ?? {}
  const names = tools.flatMap((one) => one.functionDeclarations.map(({ name }) => name))
  return think({
    tools: mode === 'NONE' ? [] : names,
    forced: mode === 'ANY' ? (allowed?.[0] ?? null) : null,
    results,
    json: generationConfig?.responseMimeType === 'application/json',
  })
}

const saidIn = (response: Json): string => {
  const value = response['result'] ?? response['output'] ?? response['content'] ?? Object.values(response)[0]
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const usage = {
  promptTokenCount: 30,
  cachedContentTokenCount: 8,
  candidatesTokenCount: 8,
  thoughtsTokenCount: 4,
  totalTokenCount: 42,
}
const chunk = (parts: Json[], finishReason?: string): string =>
  JSON.stringify({
    candidates: [
      { content: { parts, role: 'model' }, index: 0, ...(finishReason === undefined ? {} : { finishReason }) },
    ],
    usageMetadata: usage,
    modelVersion: 'stand-in',
    responseId: 'r-1',
  })

const callParts = (answer: Answer): Json[] =>
  (answer.kind === 'calls' ? answer.calls : []).map(({ name, args }, i) => ({
    functionCall: { name, args },
    ...(i === 0 ? { thoughtSignature: SIGNATURE } : {}),
  }))
const textOf = (answer: Answer): string => (answer.kind === 'text' ? answer.text : answer.lead)

export const geminiAnswer = (answer: Answer): string =>
  chunk([...(textOf(answer) === '' ? [] : [{ text: textOf(answer) }]), ...callParts(answer)], 'STOP')

export const geminiStream = (answer: Answer): string =>
  [
    ...inPieces(textOf(answer)).map((text) => chunk([{ text }])),
    ...callParts(answer).map((one) => chunk([one])),
    chunk([{ text: '' }], 'STOP'),
  ]
    .map((data) => `data: ${data}\r\n\r\n`)
    .join('')

const embedRequest = z.strictObject({
  requests: z
    .array(
      z.strictObject({
        model: z.string().startsWith('models/'),
        content: z.strictObject({ parts: z.array(z.strictObject({ text: z.string().min(1) })).length(1) }),
        outputDimensionality: z.number().optional(),
      }),
    )
    .min(1),
})

export const geminiEmbeddings = (body: unknown): string =>
  JSON.stringify({
    embeddings: embedRequest
      .parse(body)
      .requests.map(({ content }) => ({ values: vectorOf(content.parts[0]?.text ?? '') })),
  })
