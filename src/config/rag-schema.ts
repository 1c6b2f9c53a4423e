// The knowledge base's part of midwatch.yaml: what is read into which collection, by what it is embedded, and where it is
// kept.
import { isIP } from 'node:net'
import { z } from 'zod'
import { httpUrl, modelName, name, seconds, secret } from './fields.ts'
import { ragEmbeddingSchema } from './rag-embedding-schema.ts'

/** A host, `*.` and a domain, an address, or a range of addresses. */
const reachable = z.string().refine((entry) => {
  const [net = '', prefix, more] = entry.split('/')
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(net)] ?? -1
  if (prefix !== undefined) return more === undefined && /^\d+$/.test(prefix) && Number(prefix) <= bits
  return bits >= 0 || /^(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(entry)
}, 'must be a host (wiki.internal), a domain (*.internal), an address or a range (10.1.0.0/16)')

/** What git would take for a path or an option is refused: only what says its protocol is clear to everyone. */
export const GIT_URL =
  /^(?:(?:https?|ssh|file):\/\/[^\s-]\S*|[A-Za-z0-9_][A-Za-z0-9_.-]*@[A-Za-z0-9][A-Za-z0-9.-]*:(?!:)[^\s-]\S*)$/
export const GIT_REF = /^[A-Za-z0-9_](?!.*\.\.)[A-Za-z0-9_./-]{0,199}$/

const gitRepository = z.strictObject({
  url: z.string().regex(GIT_URL, 'must be https://, http://, ssh:// or file://, or user@host:path'),
  /** A branch or a tag; the repository's own choice where it is left out. */
  ref: z.string().regex(GIT_REF, 'must be the name of a branch or a tag').optional(),
  /** The folder within it. */
  path: z.string().optional(),
})

const collection = z.strictObject({
  /** Folders, files, and JSON lines. */
  paths: z.array(z.string().min(1)).default([]),
  urls: z.array(httpUrl).default([]),
  git: z.array(gitRepository).default([]),
  /** Globs over the paths of files; without `include`, what people write for people to read. */
  include: z.array(z.string().min(1)).default([]),
  exclude: z.array(z.string().min(1)).default([]),
  tenant: name.default('default'),
  /** Who may read it; empty is the whole tenant. */
  teams: z.array(name).default([]),
  /** How often it is looked at again. */
  everySeconds: seconds(300),
})

export const ragSchema = z.strictObject({
  embeddings: ragEmbeddingSchema,
  /** Where the knowledge is kept; a file in the data folder where it is left out. */
  database: z
    .strictObject({
      url: z
        .string()
        .regex(/^postgres(ql)?:\/\//, 'must be a postgres:// URL')
        .pipe(secret),
    })
    .optional(),
  collections: z.record(name, collection).default({}),
  chunk: z
    .strictObject({
      /** The most a passage holds. */
      tokens: z.number().int().min(16).max(2048).default(220),
      /** How many sentences of a passage the next one of the same section repeats. */
      overlapSentences: z.number().int().min(0).max(10).default(1),
    })
    .prefault({}),
  fetch: z
    .strictObject({
      /** What may be fetched although it is not on the public internet. */
      allow: z.array(reachable).default([]),
    })
    .prefault({}),
  /** Of `models`: words the answers. Without it, answers are the best passages. */
  model: modelName.optional(),
  /** Of `models`: looks at the best passages once more. */
  rerank: modelName.optional(),
  /** Of `models`: words a question anew before it is searched for. */
  rewrite: modelName.optional(),
})

export type RagConfig = z.output<typeof ragSchema>
export type CollectionConfig = RagConfig['collections'][string]
