// The sets with judgements, as what is ingested and what is asked. They lie outside the repository and are only measured on.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { RawDocument } from '../../src/rag/document.ts'

export interface Question {
  readonly id: string
  readonly text: string
  /** The collection it is asked of. */
  readonly collection: string
  /** Empty: nothing fits. */
  readonly relevant: ReadonlySet<string>
}

export interface RetrievalSet {
  readonly name: string
  readonly documents: ReadonlyMap<string, readonly RawDocument[]>
  readonly questions: readonly Question[]
}

const identified = z.object({ id: z.string(), text: z.string() })
const article = identified.extend({ title: z.string().optional() })
const tableOrText = z.object({
  id: z.string(),
  text: z.string().optional(),
  table: z.array(z.array(z.string())).optional(),
})
const alert = z.object({
  id: z.string(),
  corpus: z.string(),
  alert: z.string(),
  summary: z.string().nullish(),
  description: z.string().nullish(),
  expr: z.string(),
})

const RUNBOOKS: Readonly<Record<string, string>> = {
  'prometheus-operator': 'runbooks-prometheus-operator/runbooks',
  openshift: 'runbooks-openshift/alerts',
}

/** Those that are there. */
export function loadSets(data: string): RetrievalSet[] {
  const sets: RetrievalSet[] = []
  for (const name of ['retrieval-scifact', 'retrieval-pubmedqa', 'retrieval-tatqa']) {
    const folder = join(data, name)
    if (!existsSync(folder)) continue
    const documents = name.endsWith('tatqa')
      ? lines(folder, 'corpus.jsonl', tableOrText).map(({ id, text, table }) =>
          document(id, text ?? (table ?? []).map((row) => row.join(' | ')).join('\n')),
        )
      : lines(folder, 'corpus.jsonl', article).map(({ id, text, title }) => document(id, text, title))
    const relevant = judgements(folder)
    const questions = lines(folder, 'queries.jsonl', identified).flatMap(({ id, text }) => {
      const fitting = relevant.get(id)
      return fitting ? [{ id, text, collection: name, relevant: fitting }] : []
    })
    sets.push({ name, documents: new Map([[name, documents]]), questions })
  }
  return [...sets, ...alertSets(data)]
}

/** Alerts as they are sent, and the harder case in which the name tells nothing: what was measured and what is written of it. */
function alertSets(data: string): RetrievalSet[] {
  const folder = join(data, 'retrieval-alert-runbook')
  if (!existsSync(folder) || Object.values(RUNBOOKS).some((path) => !existsSync(join(data, path)))) return []
  const documents = new Map(
    Object.entries(RUNBOOKS).map(([corpus, path]) => [
      corpus,
      readdirSync(join(data, path), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.md'))
        .map((file): RawDocument => ({
          id: `${corpus}/${file}`,
          source: file,
          bytes: readFileSync(join(data, path, file)),
          mediaType: 'text/markdown',
          metadata: {},
        })),
    ]),
  )
  const relevant = judgements(folder)
  const alerts = lines(folder, 'queries.jsonl', alert)
  const asked = (text: (one: z.output<typeof alert>) => string): Question[] =>
    alerts.map((one) => ({
      id: one.id,
      text: text(one),
      collection: one.corpus,
      relevant: relevant.get(one.id) ?? new Set<string>(),
    }))
  const said = (one: z.output<typeof alert>) => [one.summary ?? '', one.description ?? ''].map(rendered).join('\n')
  return [
    { name: 'alert-runbook', documents, questions: asked((one) => `${one.alert}\n${said(one)}`) },
    { name: 'alert-runbook, name hidden', documents, questions: asked((one) => `${said(one)}\n${one.expr}`) },
  ]
}

/** Templates are filled in with what no runbook knows. */
const rendered = (text: string): string => text.replaceAll(/\{\{.*?\}\}/gs, '')

const document = (id: string, text: string, title?: string): RawDocument => ({
  id,
  source: null,
  bytes: Buffer.from(text),
  mediaType: 'text/plain',
  metadata: {},
  ...(title === undefined ? {} : { title }),
})

function lines<T>(folder: string, file: string, shape: z.ZodType<T>): T[] {
  return readFileSync(join(folder, file), 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => shape.parse(JSON.parse(line)))
}

function judgements(folder: string): Map<string, Set<string>> {
  const relevant = new Map<string, Set<string>>()
  for (const line of readFileSync(join(folder, 'qrels.tsv'), 'utf8').trim().split('\n').slice(1)) {
    const [question = '', document = '', score = '0'] = line.split('\t')
    if (Number(score) > 0) relevant.set(question, (relevant.get(question) ?? new Set()).add(document))
  }
  return relevant
}
