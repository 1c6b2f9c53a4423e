// Whether the weights of the ranking hold on sets they were not chosen on: for each set the best of a grid is chosen on all others, and
// tried on this one, beside the weights in use. Variants of one set are left out together.
import { mapParallel } from '../../src/core/parallel.ts'
import type { EmbeddingModel } from '../../src/llm/embedding.ts'
import { silentLog } from '../../src/observe/log.ts'
import { searchHalves } from '../../src/rag/search/halves.ts'
import { type Candidate, rank, type Weights } from '../../src/rag/search/rank.ts'
import { depthFor, loadCandidates } from '../../src/rag/search/retriever.ts'
import type { KnowledgeStore } from '../../src/rag/store/store.ts'
import { mean, ndcg } from './measures.ts'
import type { RetrievalSet } from './sets.ts'

const TOP_K = 10

const GRID: readonly Weights[] = [0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4].flatMap((vectors) =>
  [0, 0.1, 0.2, 0.3, 0.4].map((covered) => ({ vectors, covered, named: 1 })),
)

interface Judged {
  readonly set: string
  readonly questions: readonly { readonly relevant: ReadonlySet<string>; readonly candidates: readonly Candidate[] }[]
}

/** The sets have to be in the store already. */
export async function choose(
  store: KnowledgeStore,
  model: EmbeddingModel,
  sets: readonly RetrievalSet[],
  tenant: string,
): Promise<void> {
  const judged = []
  for (const set of sets) judged.push(await load(store, model, set, tenant))
  const scores = new Map(judged.map((one) => [one.set, GRID.map((weights) => score(one, weights))]))
  console.log(`\nnDCG@${TOP_K}, weights chosen on the other sets`)
  for (const one of judged) {
    const others = judged
      .filter(({ set }) => familyOf(set) !== familyOf(one.set))
      .map(({ set }) => scores.get(set) ?? [])
    const sums = GRID.map((_, i) => mean(others.map((all) => all[i] ?? 0)))
    const best = sums.indexOf(Math.max(...sums))
    const { vectors, covered } = GRID[best] ?? { vectors: 0, covered: 0 }
    const own = scores.get(one.set) ?? []
    console.log(
      `${one.set.padEnd(28)}${(own[best] ?? 0).toFixed(3)} (vectors ${vectors}, covered ${covered}); ` +
        `in use ${score(one).toFixed(3)}; words alone ${wordsAlone(one).toFixed(3)}; the best of the grid ${Math.max(...own).toFixed(3)}`,
    )
  }
}

const familyOf = (set: string): string => set.split(',')[0] ?? set

const score = (of: Judged, weights?: Weights): number => gain(of, (candidates) => rank(candidates, 'hybrid', weights))
const wordsAlone = (of: Judged): number => gain(of, (candidates) => rank(candidates, 'bm25'))

function gain({ questions }: Judged, order: (of: readonly Candidate[]) => readonly Candidate[]): number {
  return mean(
    questions.map(({ relevant, candidates }) => {
      const documents = [...new Set(order(candidates).map(({ passage }) => passage.document))]
      return ndcg(documents, relevant, TOP_K)
    }),
  )
}

async function load(store: KnowledgeStore, model: EmbeddingModel, set: RetrievalSet, tenant: string): Promise<Judged> {
  const signal = new AbortController().signal
  const parts = { store, modelOf: async () => model, log: silentLog() }
  const answerable = set.questions.filter(({ relevant }) => relevant.size > 0)
  const questions = await mapParallel(answerable, 2, async ({ text, collection: name, relevant }) => {
    const collection = await store.findCollection(tenant, name)
    const query = { tenant, text, collections: [name], topK: TOP_K, limit: depthFor(TOP_K), added: '' }
    const halves = await searchHalves(parts, collection ? [collection] : [], query, signal)
    return { relevant, candidates: await loadCandidates(parts, query, halves) }
  })
  return { set: set.name, questions }
}
