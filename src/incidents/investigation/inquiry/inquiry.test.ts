// The inquiry in a whole walk, with models of every character: what they may do to a report, and what they may not.
import { afterEach, describe, expect, test } from 'vitest'
import { listAudit } from '../../../audit/read.ts'
import { verifyAudit } from '../../../audit/verify.ts'
import type { ChatModel } from '../../../llm/chat.ts'
import { report as reportSchema, type Report } from '../../report.ts'
import { INCIDENT, makeWorld, type World, type WorldOptions } from '../testing/world.ts'
import {
  garbageModel,
  honestModel,
  inventingModel,
  lyingModel,
  scripted,
  type ScriptedModel,
  slowModel,
} from '../testing/models.ts'
import { readNotes } from './notebook.ts'
import { SPECIALISTS } from './specialists.ts'

let world: World
afterEach(() => world.close())

const AT = { incidentId: INCIDENT, look: 1 }
/** Never sure, so that every model is asked. */
const UNSURE = { model: 'small', largerModel: 'large', investigation: { sureAt: 1 } }

async function investigate(chatModel: ChatModel | undefined, options: WorldOptions = {}): Promise<Report> {
  world = await makeWorld({ ...options, agent: { ...UNSURE, ...options.agent } })
  await world.work(world.start({ chatModel }))
  const row = await world.db.selectFrom('incidents').select('report').executeTakeFirstOrThrow()
  return reportSchema.parse(JSON.parse(row.report ?? 'null'))
}

const named = ({ causes }: Report) => causes.map(({ service, kind }) => `${service} ${kind}`)
/** Several candidates, none of them sure. */
const RIVALS: WorldOptions = { fault: 'traffic_surge', service: 'inventory' }
const confidenceOf = ({ causes }: Report): number => causes[0]?.confidence ?? 0

describe('without a model', () => {
  test('every specialist looks, the critic tries its rules, and the votes tell what each kind of evidence weighed', async () => {
    const report = await investigate(undefined)
    const notes = await readNotes(world.db, AT)
    expect(new Set(notes.map(({ step }) => step))).toEqual(new Set([...SPECIALISTS, 'lead', 'critic']))
    const { deliberation } = report
    expect(deliberation?.spent).toMatchObject({ modelCalls: 0, tokens: 0, costUsd: 0 })
    expect(deliberation?.spent.toolCalls).toBeGreaterThan(3)
    expect(deliberation?.objections.map(({ test }) => test)).toEqual([
      'was it there before?',
      'do its other callers suffer?',
      'does another explain more?',
    ])
    const [cause] = report.causes
    const own = deliberation?.votes.filter(({ service }) => service === cause?.service) ?? []
    const sum = own.reduce((total, { weight }) => total + weight, 0)
    const weights = [...(cause?.evidence ?? []), ...(cause?.against ?? [])].reduce(
      (total, { weight }) => total + weight,
      0,
    )
    expect(sum).toBeCloseTo(weights, 1)
  })

  test('a cause that is sure enough ends the asking after one round', async () => {
    const report = await investigate(undefined, { agent: { investigation: { sureAt: 0.5 } } })
    expect(report.deliberation).toMatchObject({ rounds: 1, stopped: expect.stringMatching(/is sure enough/) as string })
  })
})

describe('a model', () => {
  const compare = async (model: ScriptedModel, options: WorldOptions = {}) => {
    const alone = await investigate(undefined, options)
    await world.close()
    return { alone, together: await investigate(model, options), model }
  }

  test('that agrees changes neither order nor confidence, and its lines become evidence in the words of code', async () => {
    const { alone, together } = await compare(honestModel())
    expect(named(together)).toEqual(named(alone))
    expect(confidenceOf(together)).toBeCloseTo(confidenceOf(alone), 1)
    expect(together.deliberation?.spent.modelCalls).toBeGreaterThan(3)
    expect(together.deliberation?.votes.some(({ by }) => by === 'metrics (honest)')).toBe(true)
    const gained = together.causes[0]?.evidence.filter(({ id }) => id.startsWith('m')) ?? []
    for (const { claim, ref } of gained) {
      expect(ref.kind).toMatch(/series|log|change|topology/)
      expect(claim).toContain(together.causes[0]?.service)
    }
  })

  test('that lies with real lines moves nothing beyond its bound', async () => {
    const { alone, together } = await compare(lyingModel(), RIVALS)
    expect(named(together)[0]).toBe(named(alone)[0])
    expect(together.sentence).toBe(alone.sentence)
    expect(together.deliberation?.reordered).toBe(false)
    const lifted = together.deliberation?.votes.filter(({ by }) => by.includes('(liar)')) ?? []
    expect(lifted.reduce((sum, { weight }) => sum + weight, 0)).toBeLessThanOrEqual(0.151)
  })

  test('that makes things up gets every claim removed and counted, and none of it is told', async () => {
    const { alone, together } = await compare(inventingModel())
    expect(named(together)).toEqual(named(alone))
    expect(together.claimsRemoved).toBeGreaterThan(alone.claimsRemoved)
    expect(JSON.stringify(together)).not.toMatch(/99\.7|deadbeef42|meteor|made-up-service|database is gone/)
  })

  test('that answers garbage is repaired once, asked no more after that, and changes nothing', async () => {
    const { alone, together, model } = await compare(garbageModel())
    expect(named(together)).toEqual(named(alone))
    expect(together.sentence).toBe(alone.sentence)
    expect(model.asked.length).toBeLessThanOrEqual(2 * SPECIALISTS.length)
    expect(model.asked.some(({ messages }) => messages.at(-1)?.content.startsWith('That does not fit'))).toBe(true)
  })

  test('that never answers costs one deadline', async () => {
    world = await makeWorld({ agent: UNSURE })
    const model = slowModel()
    const began = world.clock.now()
    const progress = { over: false }
    const working = world.work(world.start({ chatModel: model })).finally(() => {
      progress.over = true
    })
    // Time goes on only while somebody waits for the model, however slow this machine is.
    while (!progress.over) {
      if (model.waiting() > 0) await world.clock.advance(1000)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await working
    expect(world.clock.now() - began).toBeLessThanOrEqual(12_000)
    expect(await world.state()).toBe('awaiting_approval')
  })

  test('is not asked more than it may cost', async () => {
    const report = await investigate(honestModel(), { agent: { investigation: { sureAt: 1, maxModelCalls: 3 } } })
    expect(report.deliberation?.spent.modelCalls).toBeLessThanOrEqual(3)
    await world.close()
    const poor = await investigate(honestModel(), { agent: { investigation: { sureAt: 1, maxTokens: 0 } } })
    expect(poor.deliberation?.spent).toMatchObject({ modelCalls: 0, tokens: 0 })
  })

  test('calls no more tools than it may, the critic included', async () => {
    const free = await investigate(honestModel())
    const tried = free.deliberation?.objections.filter(({ by }) => by === 'model') ?? []
    expect(tried).toHaveLength(1)
    await world.close()
    const all = free.deliberation?.spent.toolCalls ?? 0
    const maxToolCalls = all - 1
    const bound = await investigate(honestModel(), { agent: { investigation: { sureAt: 1, maxToolCalls } } })
    expect(bound.deliberation?.spent.toolCalls).toBe(maxToolCalls)
    expect(bound.deliberation?.objections.filter(({ by }) => by === 'model')).toEqual([])
  })

  test('that asks the same again and again is stopped', async () => {
    const query = { tool: 'list_anomalies', service: null, metric: null, contains: null, handle: null, offset: null }
    const model = scripted('parrot', (step) =>
      JSON.stringify(
        step === 'lead'
          ? { questions: [{ to: 'metrics', query }] }
          : step === 'critic'
            ? { query: null, refutedBy: 'nothing_found' }
            : { queries: [query], hypotheses: [], enough: false },
      ),
    )
    await investigate(model)
    const metrics = (await readNotes(world.db, AT)).find(({ step, round }) => step === 'metrics' && round === 1)
    expect(metrics?.stopped).toBe('it asked what was asked before')
  })
})

test('the larger model is heard only where opinions differ', async () => {
  const of = (model: ScriptedModel) => model.asked.filter(({ model: name }) => name === 'large').length
  const agrees = honestModel()
  await investigate(agrees)
  expect(of(agrees)).toBe(0)
  await world.close()
  const differs = lyingModel()
  const report = await investigate(differs, RIVALS)
  expect(of(differs)).toBe(1)
  expect(report.deliberation?.votes.some(({ by }) => by === 'lead (liar)')).toBe(true)
})

test('every prompt, answer and tool call is in the audit log, and the log is whole', async () => {
  const model = honestModel()
  const report = await investigate(model)
  const entries = await listAudit(world.db, { tenant: 'default', subject: INCIDENT, limit: 500 })
  const count = (kind: string) => entries.filter((one) => one.kind === kind).length
  expect(count('model.prompt')).toBe(model.asked.length)
  expect(count('model.answer')).toBe(model.asked.length)
  expect(count('tool.call')).toBe(report.deliberation?.spent.toolCalls)
  expect(await verifyAudit(world.db)).toMatchObject({ kind: 'whole', entries: entries.length })
})
