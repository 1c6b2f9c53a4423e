// What every store of knowledge promises, run against each of them.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  bestOfAll,
  clusteredVectors,
  documentWith,
  embedding,
  newTenant,
  passagesOf,
  random,
} from './testing/documents.ts'
import type { Metadata } from '../document.ts'
import type { Collection, Hit, IndexQuery, KnowledgeStore } from './store.ts'

const NOW = 1_764_100_000_000
const never = new AbortController().signal

export function describeStore(
  name: string,
  open: () => Promise<{ store: KnowledgeStore; close: () => Promise<void> }>,
  /** Of how many passages the nearest are looked for. */
  { passages: count }: { readonly passages: number },
): void {
  describe(name, () => {
    let store: KnowledgeStore
    let close: () => Promise<void>
    beforeAll(async () => {
      ;({ store, close } = await open())
    }, 60_000)
    afterAll(async () => {
      await close()
    })

    const collectionOf = (tenant = newTenant(), called = 'runbooks') =>
      store.ensureCollection({ tenant, name: called }, NOW)
    const within = (collection: Collection, rest: Partial<IndexQuery> = {}): IndexQuery => ({
      collections: [collection.id],
      filter: {},
      limit: 10,
      ...rest,
    })
    const documentsOf = (hits: readonly Hit[]) => hits.map(({ document }) => document)

    describe('collections', () => {
      it('are made once, each name in its tenant, and keep their teams until others are given', async () => {
        const tenant = newTenant()
        const first = await store.ensureCollection({ tenant, name: 'a', teams: ['sre'] }, NOW)
        expect(first).toMatchObject({ tenant, name: 'a', teams: ['sre'], embedding: null, createdAt: NOW })
        expect(await store.ensureCollection({ tenant, name: 'a' }, NOW + 1)).toEqual(first)
        const changed = await store.ensureCollection({ tenant, name: 'a', teams: [] }, NOW + 2)
        expect(changed).toEqual({ ...first, teams: [] })
        const elsewhere = await store.ensureCollection({ tenant: newTenant(), name: 'a' }, NOW)
        expect(elsewhere.id).not.toBe(first.id)
        expect(await store.findCollection(tenant, 'a')).toEqual(changed)
        expect(await store.findCollection(tenant, 'b')).toBeNull()
      })

      it('are the same one for all who ask at once', async () => {
        const tenant = newTenant()
        const made = await Promise.all(Array.from({ length: 8 }, () => collectionOf(tenant)))
        expect(new Set(made.map(({ id }) => id)).size).toBe(1)
      })

      it('are made by one alone of those who make them at once, and keep the teams of that one', async () => {
        const tenant = newTenant()
        const teams = Array.from({ length: 6 }, (_, i) => [`team-${i}`])
        const made = await Promise.all(
          teams.map((own) => store.createCollection({ tenant, name: 'a', teams: own }, NOW)),
        )
        const winners = made.filter((one) => one !== null)
        expect(winners).toHaveLength(1)
        expect(await store.findCollection(tenant, 'a')).toEqual(winners[0])
        expect(teams[made.findIndex((one) => one !== null)]).toEqual(winners[0]?.teams)
      })

      it('count what is in them, and are listed by name for their tenant alone', async () => {
        const tenant = newTenant()
        const b = await collectionOf(tenant, 'b')
        await collectionOf(tenant, 'a')
        await store.putDocument(b.id, documentWith('x', ['one.', 'two.']), embedding)
        await store.putDocument(b.id, documentWith('y', ['three.']), embedding)
        const listed = await store.listCollections(tenant)
        expect(listed.map((each) => [each.name, each.documents, each.passages])).toEqual([
          ['a', 0, 0],
          ['b', 2, 3],
        ])
        expect(listed.map((each) => each.embedding)).toEqual([null, embedding])
        const all = await store.allCollections()
        expect(all.filter((each) => each.tenant === tenant)).toEqual(listed)
        expect(new Set(all.map((each) => each.tenant)).size).toBeGreaterThan(1)
      })

      it('go with everything in them, and what is put into one that is gone is refused', async () => {
        const tenant = newTenant()
        const [dropped, kept] = [await collectionOf(tenant, 'dropped'), await collectionOf(tenant, 'kept')]
        for (const { id } of [dropped, kept])
          await store.putDocument(id, documentWith('x', ['disk pressure']), embedding)
        const [hit] = await store.byWords('disk', within(dropped))
        expect(await store.dropCollection(dropped.id)).toBe(true)
        expect(await store.dropCollection(dropped.id)).toBe(false)
        expect(await store.byWords('disk', within(dropped))).toEqual([])
        expect(await store.passages([hit?.passage ?? ''])).toEqual([])
        expect(await store.findDocument(dropped.id, 'x')).toBeNull()
        expect(await store.byWords('disk', within(kept))).toHaveLength(1)
        await expect(store.putDocument(dropped.id, documentWith('x', ['y']), embedding)).rejects.toMatchObject({
          code: 'not_found',
        })
      })
    })

    it('counts in how many passages each word of a question is, in the collections asked alone', async () => {
      const [one, other] = [await collectionOf(), await collectionOf(newTenant())]
      await store.putDocument(one.id, documentWith('x', ['disk disk KubePodCrash', 'disks full', 'nothing']), embedding)
      await store.putDocument(other.id, documentWith('y', ['disk']), embedding)
      const counts = await store.wordCounts('the disk of kubepodcrash "absent*', [one.id])
      expect(counts.passages).toBe(3)
      expect(counts.words).toEqual([
        { text: 'disk', part: false, passages: 2 },
        { text: 'kubepodcrash', part: false, passages: 1 },
        { text: 'absent', part: false, passages: 0 },
      ])
      expect((await store.wordCounts('disk', [one.id, other.id])).words[0]?.passages).toBe(3)
      expect((await store.wordCounts('disk', [])).words[0]?.passages).toBe(0)
    })

    describe('documents', () => {
      it('come back as they were put', async () => {
        const collection = await collectionOf()
        const document = {
          ...documentWith('path/to/é.md', ['Première étape.', 'Zweiter Schritt 🚒.']),
          source: 'https://wiki.example/é',
          metadata: { team: 'sre', severity: 2, live: true },
          owner: 'user_1',
          origin: 'cli folder:/srv/runbooks',
        }
        await store.putDocument(collection.id, document, embedding)
        const { passages, ...rest } = document
        expect(await store.findDocument(collection.id, document.id)).toEqual({ ...rest, passages: 2 })
        const hits = await store.byWords('Schritt', within(collection))
        const [found] = await store.passages(documentsOf(hits).length === 1 ? hits.map((hit) => hit.passage) : [])
        const { vectors: _, ...second } = passages[1]!
        expect(found).toEqual({
          ...second,
          id: hits[0]?.passage,
          collection: collection.id,
          document: document.id,
          title: document.title,
          source: document.source,
          metadata: document.metadata,
        })
      })

      it('are listed in order of id, page by page, and by the beginning of their ids', async () => {
        const collection = await collectionOf()
        const ids = ['a/1', 'a/2', 'a%', 'a_b', 'b/1', 'é', '🚒', 'Z']
        for (const id of ids) await store.putDocument(collection.id, documentWith(id, ['x']), embedding)
        const seen: string[] = []
        for (let after: string | undefined; ;) {
          const page = await store.listDocuments(collection.id, { limit: 3, ...(after === undefined ? {} : { after }) })
          seen.push(...page.map(({ id }) => id))
          if (page.length < 3) break
          after = page.at(-1)?.id
        }
        expect(seen).toEqual(['Z', 'a%', 'a/1', 'a/2', 'a_b', 'b/1', 'é', '🚒'])
        const withPrefix = async (prefix: string) =>
          (await store.listDocuments(collection.id, { limit: 9, prefix })).map(({ id }) => id)
        expect(await withPrefix('a/')).toEqual(['a/1', 'a/2'])
        expect(await withPrefix('a_')).toEqual(['a_b'])
        expect(await withPrefix('a%')).toEqual(['a%'])
        expect(await withPrefix('none')).toEqual([])
      })

      it('replace their former selves whole, wherever they are looked for', async () => {
        const collection = await collectionOf()
        const vectors = clusteredVectors(3, 11)
        await store.putDocument(collection.id, documentWith('x', ['old alpha', 'old beta'], { vectors }), embedding)
        const old = await store.byWords('old', within(collection))
        await store.putDocument(
          collection.id,
          documentWith('x', ['new gamma'], { vectors: vectors.slice(2) }),
          embedding,
        )
        expect(await store.byWords('old alpha beta', within(collection))).toEqual([])
        expect(await store.passages(old.map(({ passage }) => passage))).toEqual([])
        const hits = await store.byVector(vectors[0]!, embedding.model, within(collection))
        expect(hits.map(({ passage }) => passage)).toEqual(
          (await store.byWords('new', within(collection))).map(({ passage }) => passage),
        )
        expect((await store.listDocuments(collection.id, { limit: 9 })).map(({ passages }) => passages)).toEqual([1])
      })

      it('are gone everywhere once removed', async () => {
        const collection = await collectionOf()
        await store.putDocument(collection.id, documentWith('x', ['disk']), embedding)
        expect(await store.removeDocument(collection.id, 'x')).toBe(true)
        expect(await store.removeDocument(collection.id, 'x')).toBe(false)
        expect(await store.byWords('disk', within(collection))).toEqual([])
        expect(await store.byVector(clusteredVectors(1, 1)[0]!, embedding.model, within(collection))).toEqual([])
        expect(await store.listDocuments(collection.id, { limit: 9 })).toEqual([])
      })

      it('keep the offsets of texts with characters that a database does not take', async () => {
        const collection = await collectionOf()
        await store.putDocument(collection.id, documentWith('x\0', ['a\0b \ud83d disk']), embedding)
        const found = await store.findDocument(collection.id, 'x\0')
        expect(found?.text).toBe('a\ufffdb \ufffd disk')
        const hits = await store.byWords('disk', within(collection))
        expect((await store.passages(hits.map(({ passage }) => passage)))[0]?.text).toBe('a\ufffdb \ufffd disk')
        expect(await store.removeDocument(collection.id, 'x\0')).toBe(true)
      })

      it('of a user are erased in every collection of the tenant, and in no other', async () => {
        const [tenant, other] = [newTenant(), newTenant()]
        const mine = [await collectionOf(tenant, 'a'), await collectionOf(tenant, 'b')]
        const theirs = await collectionOf(other, 'a')
        for (const { id } of [...mine, theirs]) {
          await store.putDocument(id, documentWith('of-ann', ['disk of ann'], { owner: 'ann' }), embedding)
          await store.putDocument(id, documentWith('of-bob', ['disk of bob'], { owner: 'bob' }), embedding)
        }
        expect(await store.eraseOwner(tenant, 'ann')).toBe(2)
        expect(await store.eraseOwner(tenant, 'ann')).toBe(0)
        const everywhere = { collections: [...mine, theirs].map(({ id }) => id), filter: {}, limit: 9 }
        expect(documentsOf(await store.byWords('ann', everywhere))).toEqual(['of-ann'])
        expect(await store.byWords('bob', everywhere)).toHaveLength(3)
        expect(await store.findDocument(theirs.id, 'of-ann')).not.toBeNull()
      })

      it('with vectors that cannot be are refused, and leave the former ones', async () => {
        const collection = await collectionOf()
        await store.putDocument(collection.id, documentWith('x', ['old']), embedding)
        const wrong = [new Float32Array(3), new Float32Array(embedding.dimension).fill(Number.NaN)]
        for (const vector of wrong)
          await expect(
            store.putDocument(collection.id, documentWith('x', ['new'], { vectors: [vector] }), embedding),
          ).rejects.toMatchObject({ code: 'malformed' })
        const wider = { ...embedding, dimension: embedding.dimension * 2 }
        const vectors = [new Float32Array(wider.dimension).fill(1)]
        await expect(
          store.putDocument(collection.id, documentWith('x', ['new'], { vectors }), wider),
        ).rejects.toMatchObject({ code: 'conflict' })
        expect(await store.byWords('old', within(collection))).toHaveLength(1)
      })

      it('never appear for a collection that was not asked', async () => {
        const tenants = [newTenant(), newTenant()]
        const collections = (
          await Promise.all(tenants.map((tenant) => Promise.all(['a', 'b'].map((each) => collectionOf(tenant, each)))))
        ).flat()
        const words = ['disk', 'memory', 'queue', 'latency']
        const placed = fc.array(
          fc.record({
            into: fc.nat({ max: collections.length - 1 }),
            id: fc.constantFrom('x', 'y', 'z'),
            words: fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 5 }),
            erase: fc.boolean(),
          }),
          { maxLength: 12 },
        )
        const query = clusteredVectors(1, 5)[0]!
        await fc.assert(
          fc.asyncProperty(placed, fc.subarray(collections), async (steps, asked) => {
            for (const step of steps) {
              const { id } = collections[step.into]!
              if (step.erase) await store.removeDocument(id, step.id)
              else
                await store.putDocument(
                  id,
                  documentWith(step.id, [step.words.join(' ')], { vectors: [query] }),
                  embedding,
                )
            }
            const allowed = new Set(asked.map(({ id }) => id))
            const all = { collections: [...allowed], filter: {}, limit: 50 }
            const there = (await Promise.all(asked.map(({ id }) => store.listDocuments(id, { limit: 50 })))).flat()
              .length
            for (const hits of [
              await store.byWords(words.join(' '), all),
              await store.byVector(query, embedding.model, all),
            ]) {
              expect(hits).toHaveLength(there)
              const found = await store.passages(hits.map(({ passage }) => passage))
              expect(found.filter(({ collection }) => !allowed.has(collection))).toEqual([])
              expect(found).toHaveLength(hits.length)
            }
          }),
          { numRuns: 12 },
        )
      })

      it('are never found half replaced by those who search meanwhile', async () => {
        const collection = await collectionOf()
        const vectors = clusteredVectors(6, 3)
        const version = (n: number) =>
          documentWith('x', [`v${n} disk one`, `v${n} disk two`, `v${n} disk three`], { vectors })
        await store.putDocument(collection.id, version(0), embedding)
        const writing = { done: false }
        const written = (async () => {
          for (let n = 1; n <= 25; n++) await store.putDocument(collection.id, version(n), embedding)
        })().finally(() => (writing.done = true))
        let searches = 0
        while (!writing.done) {
          const both = [
            await store.byWords('disk', within(collection)),
            await store.byVector(vectors[0]!, embedding.model, within(collection)),
          ]
          for (const hits of both) {
            expect(hits).toHaveLength(3)
            const found = await store.passages(hits.map(({ passage }) => passage))
            // Read a moment later: all of one version, or gone together.
            expect(new Set(found.map(({ text }) => text.split(' ')[0])).size).toBeLessThanOrEqual(1)
            expect([0, 3]).toContain(found.length)
          }
          searches++
        }
        await written
        expect(searches).toBeGreaterThan(1)
      })
    })

    describe('words', () => {
      const put = async (texts: Readonly<Record<string, string>>, title?: string) => {
        const collection = await collectionOf()
        for (const [id, text] of Object.entries(texts))
          await store.putDocument(
            collection.id,
            documentWith(id, [text], title === undefined ? {} : { title }),
            embedding,
          )
        return collection
      }

      it('are found in other forms of theirs and without regard to capitals and accents', async () => {
        const collection = await put({ a: 'The pods were crashing.', b: 'Nothing of the kind.' })
        for (const words of ['crash', 'CRASHED pod', 'Crashès'])
          expect(documentsOf(await store.byWords(words, within(collection)))).toEqual(['a'])
      })

      it('of identifiers are found whole and by their parts', async () => {
        const collection = await put({
          camel: 'Alert KubePodCrashLooping fires.',
          snake: 'See kube_pod_container_status for more.',
          code: 'It answers http-500 again.',
          none: 'Other words stand here.',
        })
        const first = async (words: string) => documentsOf(await store.byWords(words, within(collection)))[0]
        expect(await first('KubePodCrashLooping')).toBe('camel')
        expect(await first('crash looping')).toBe('camel')
        expect(await first('kube_pod_container_status')).toBe('snake')
        expect(await first('container status')).toBe('snake')
        expect(await first('KubePodContainerStatus')).toBe('snake')
        expect(await first('http-500')).toBe('code')
        expect(await first('500')).toBe('code')
      })

      it('that are rare decide over those that are everywhere', async () => {
        const texts = Object.fromEntries(
          Array.from({ length: 30 }, (_, i) => [`common${i}`, 'the what of the server is how it is']),
        )
        const collection = await put({ ...texts, rare: 'etcd on the server' })
        const [first] = await store.byWords('what is the how of the etcd server', within(collection))
        expect(first?.document).toBe('rare')
        // A question of nothing else still finds something.
        expect(await store.byWords('how is it', within(collection, { limit: 3 }))).toHaveLength(3)
      })

      it('in a title count more than in a text', async () => {
        const collection = await collectionOf()
        await store.putDocument(
          collection.id,
          documentWith('text', ['failover of something and failover'], { title: 'a guide' }),
          embedding,
        )
        await store.putDocument(
          collection.id,
          documentWith('title', ['something and more of other'], { title: 'failover' }),
          embedding,
        )
        expect(documentsOf(await store.byWords('failover', within(collection)))).toEqual(['title', 'text'])
      })

      it('are never a query language, whatever they are', async () => {
        const collection = await put({ a: 'disk pressure', b: 'memory' })
        const hostile = [
          '"',
          '" OR *',
          'headings:disk AND NOT',
          'disk* ^disk NEAR(',
          "'; drop table documents; --",
          'disk & | ! <-> :*',
          '\\',
          '\0',
          '\ud800',
        ]
        for (const words of hostile) {
          const found = documentsOf(await store.byWords(words, within(collection)))
          expect(found).toEqual(words.includes('disk') ? ['a'] : [])
        }
        await fc.assert(
          fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 60 }), async (words) => {
            await store.byWords(words, within(collection))
          }),
          { numRuns: 100 },
        )
      })

      it('may be ten thousand: what is telling is found, and the rest is bounded', async () => {
        const collection = await put({ a: 'etcd quorum lost', b: 'memory' })
        const noise = Array.from({ length: 10_000 }, (_, i) => `noise${i}`).join(' ')
        expect(documentsOf(await store.byWords(`etcd quorum ${noise}`, within(collection)))).toEqual(['a'])
        expect(documentsOf(await store.byWords(`${noise} etcd quorum`, within(collection)))).toEqual(['a'])
        expect(await store.byWords('x'.repeat(1_000_000), within(collection))).toEqual([])
      })
    })

    describe('vectors', () => {
      it('are found by cosine, each passage by the nearest of its own', async () => {
        const collection = await collectionOf()
        const [a, b, c] = clusteredVectors(3, 21)
        const scaled = a!.map((x) => x * 7)
        await store.putDocument(collection.id, passagesOf('two', [[b!, scaled]]), embedding)
        await store.putDocument(collection.id, passagesOf('one', [[c!]]), embedding)
        const hits = await store.byVector(a!, embedding.model, within(collection))
        expect(documentsOf(hits)).toEqual(['two', 'one'])
        expect(hits[0]?.score).toBeCloseTo(1, 2)
        expect(hits[1]?.score).toBeCloseTo(bestOfAll(a!, [c!]), 2)
        await expect(store.byVector(new Float32Array(3), embedding.model, within(collection))).rejects.toMatchObject({
          code: 'malformed',
        })
      })

      it('that are the nearest ten of very many are found as an exact search finds them, at least 97 in 100', async () => {
        const collection = await collectionOf()
        const vectors = clusteredVectors(count * 2, 77)
        const passages = Array.from({ length: count }, (_, i) => vectors.slice(i * 2, i * 2 + 2))
        for (let d = 0; d * 50 < count; d++) {
          await store.putDocument(collection.id, passagesOf(`d${d}`, passages.slice(d * 50, d * 50 + 50)), embedding)
          // What comes behind a settling is found with the rest.
          if (d * 50 < count * 0.8) await store.settle(collection.id, never)
        }
        const chance = random(5)
        let found = 0
        const queries = 30
        for (let q = 0; q < queries; q++) {
          const near = vectors[Math.floor(chance() * vectors.length)]!
          const query = near.map((x) => x + (chance() - 0.5) * 0.06)
          const scores = passages.map((own) => bestOfAll(query, own))
          const tenth = scores.toSorted((x, y) => y - x)[9]!
          const hits = await store.byVector(query, embedding.model, within(collection))
          expect(hits).toHaveLength(10)
          expect(hits.map(({ score }) => score)).toEqual(hits.map(({ score }) => score).toSorted((x, y) => y - x))
          found += hits.filter(({ score }) => score >= tenth - 0.005).length
        }
        expect(found / (queries * 10)).toBeGreaterThanOrEqual(0.97)
      }, 60_000)
    })

    describe('a filter', () => {
      it('is applied first: the few that have what is asked are found behind very many nearer ones', async () => {
        const collection = await collectionOf()
        const [near, far] = [
          clusteredVectors(1, 1)[0]!,
          clusteredVectors(1, 1)[0]!.map((x, i) => (i % 3 === 0 ? -x : x)),
        ]
        for (let d = 0; d < 12; d++) {
          const many = passagesOf(
            `near${d}`,
            Array.from({ length: 100 }, () => [near]),
          )
          await store.putDocument(collection.id, { ...many, metadata: { team: 'many', n: d } }, embedding)
        }
        await store.settle(collection.id, never)
        const few = { ...passagesOf('far', [[far]]), metadata: { team: 'few', n: 3, live: true } }
        await store.putDocument(collection.id, few, embedding)
        const asked = (filter: IndexQuery['filter']) =>
          Promise.all([
            store.byVector(near, embedding.model, within(collection, { filter, limit: 3 })),
            store.byWords('passage', within(collection, { filter, limit: 3 })),
          ])
        const fitting: Metadata[] = [{ team: 'few' }, { team: 'few', n: 3 }, { live: true }]
        for (const filter of fitting) for (const hits of await asked(filter)) expect(documentsOf(hits)).toEqual(['far'])
        const fittingNone: Metadata[] = [{ team: 'few', n: 4 }, { team: 'none' }, { n: '3' }, { live: false }]
        for (const filter of fittingNone) expect(await asked(filter)).toEqual([[], []])
        for (const hits of await asked({ n: 7 })) expect(documentsOf(hits)).toEqual(['near7', 'near7', 'near7'])
      })
    })

    describe('a change of model', () => {
      const next = { model: 'next', dimension: embedding.dimension * 2 }

      it('happens beside the one that serves, and is complete at once', async () => {
        const collection = await collectionOf()
        const [query] = clusteredVectors(1, 9)
        for (const id of ['a', 'b', 'c'])
          await store.putDocument(collection.id, documentWith(id, [`of ${id}`]), embedding)
        const wide = new Float32Array(next.dimension).fill(0.5)
        const serving = () => store.byVector(query!, embedding.model, within(collection))
        expect(await store.passagesWithout(collection.id, embedding.model, 9)).toEqual([])
        const first = await store.passagesWithout(collection.id, next.model, 2)
        expect(first.map(({ document }) => document)).toEqual(['a', 'b'])
        await store.putVectors(next, [
          ...first.map(({ id }, i) => ({ passage: id, vectors: i === 0 ? [wide, wide] : [] })),
          { passage: '999999999', vectors: [wide] },
          { passage: 'not one', vectors: [wide] },
        ])
        // What has nothing to embed is done too.
        const rest = await store.passagesWithout(collection.id, next.model, 9)
        expect(rest.map(({ document }) => document)).toEqual(['c'])
        expect(await serving()).toHaveLength(3)
        await store.putVectors(next, [{ passage: rest[0]!.id, vectors: [wide] }])
        await store.switchEmbedding(collection.id, next)
        expect((await store.listCollections(collection.tenant))[0]?.embedding).toEqual(next)
        expect(await serving()).toEqual([])
        const hits = await store.byVector(wide, next.model, within(collection))
        expect(documentsOf(hits).sort()).toEqual(['a', 'c'])
      })
    })
  })
}
