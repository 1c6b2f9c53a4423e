// What one part of the configuration says about another: names that must exist, settings that exclude each other. It is
// looked at even where something else is wrong, so that every problem is told at once; so it takes only what it needs
// and leaves what is malformed to the schema.
import { z } from 'zod'
import { findRoutingContradictions } from './routing-references.ts'

export interface Problem {
  readonly path: readonly (string | number)[]
  readonly message: string
}

const text = z.string().optional().catch(undefined)
const names = z.array(z.string()).catch([])
const model = z
  .looseObject({
    targets: z.array(z.looseObject({ provider: text })).catch([]),
    fallbacks: names,
    cache: z.looseObject({ mode: z.unknown(), embeddings: text }).optional().catch(undefined),
  })
  .catch({ targets: [], fallbacks: [], cache: undefined })

const parts = z.looseObject({
  server: z.looseObject({ host: z.string().catch('127.0.0.1') }).catch({ host: '127.0.0.1' }),
  auth: z.looseObject({ mode: z.unknown() }).catch({ mode: undefined }),
  providers: z.record(z.string(), z.unknown()).catch({}),
  models: z.record(z.string(), model).catch({}),
  agent: z
    .looseObject({ model: text, largerModel: text, actions: z.array(z.looseObject({ name: text })).catch([]) })
    .catch({ model: undefined, largerModel: undefined, actions: [] }),
  rag: z
    .looseObject({
      model: text,
      rerank: text,
      rewrite: text,
      embeddings: z.looseObject({ model: text }).catch({ model: undefined }),
    })
    .catch({ model: undefined, rerank: undefined, rewrite: undefined, embeddings: { model: undefined } }),
})

const LOOPBACK = ['127.0.0.1', '::1', 'localhost']

/** `raw` is the parsed file. */
export function findContradictions(raw: unknown): Problem[] {
  const read = parts.safeParse(raw)
  if (!read.success) return []
  const { server, auth, providers, models, agent, rag } = read.data
  const missing = (kind: string, wanted: string, known: readonly string[]): string =>
    `no ${kind} is called ${wanted}; there is ${known.join(', ') || 'none'}`
  const problems: Problem[] = []
  if ((auth.mode === 'off' || auth.mode === false) && !LOOPBACK.includes(server.host)) {
    const message = `off binds to loopback only, but server.host is ${server.host}. Set auth.mode: required, or host: 127.0.0.1`
    problems.push({ path: ['auth', 'mode'], message })
  }
  const known = Object.keys(models)
  for (const [name, { targets, fallbacks, cache }] of Object.entries(models)) {
    targets.forEach(({ provider }, i) => {
      if (provider === undefined || Object.hasOwn(providers, provider)) return
      const message = missing('provider', provider, Object.keys(providers))
      problems.push({ path: ['models', name, 'targets', i, 'provider'], message })
    })
    fallbacks.forEach((fallback, i) => {
      const path = ['models', name, 'fallbacks']
      if (!known.includes(fallback)) problems.push({ path, message: missing('model', fallback, known) })
      else if (fallback === name)
        problems.push({ path, message: `${name} cannot fall back to itself. Name another model, or leave it out` })
      else if (fallbacks.indexOf(fallback) !== i)
        problems.push({ path, message: `${fallback} is named twice. Once will do` })
    })
    const embeddings = cache?.embeddings
    if (embeddings !== undefined && !known.includes(embeddings))
      problems.push({ path: ['models', name, 'cache', 'embeddings'], message: missing('model', embeddings, known) })
    if (cache?.mode === 'semantic' && embeddings === name) {
      const message = `the prompts of ${name} cannot be embedded by ${name} itself. Name a model here that embeds, or set mode: exact`
      problems.push({ path: ['models', name, 'cache', 'embeddings'], message })
    }
    if (cache?.mode === 'semantic' && embeddings === undefined) {
      const message = 'semantic needs a model that embeds the prompts. Name one of models here, or set mode: exact'
      problems.push({ path: ['models', name, 'cache', 'embeddings'], message })
    }
  }
  for (const [key, model] of [
    ['model', agent.model],
    ['largerModel', agent.largerModel],
  ] as const)
    if (model !== undefined && !known.includes(model))
      problems.push({ path: ['agent', key], message: missing('model', model, known) })
  const ofRag = { model: rag.model, rerank: rag.rerank, rewrite: rag.rewrite, 'embeddings.model': rag.embeddings.model }
  for (const [key, model] of Object.entries(ofRag))
    if (model !== undefined && !known.includes(model))
      problems.push({ path: ['rag', ...key.split('.')], message: missing('model', model, known) })
  problems.push(...findRoutingContradictions(raw))
  const called = agent.actions.map(({ name }) => name)
  const twice = called.find((name, i) => name !== undefined && called.indexOf(name) !== i)
  if (twice !== undefined) problems.push({ path: ['agent', 'actions'], message: `two actions are called ${twice}` })
  return problems
}
