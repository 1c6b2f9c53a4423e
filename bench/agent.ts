// `npm run bench:agent`: what models do to an investigation, good ones and bad ones, beside none: how often the cause is right,
// what was removed, what was proposed, and what it cost. On made-up cases and, where folders of recorded ones are given, on
// those. Every model is asked in every case, however sure the diagnosis is: the worst it can do.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { readCase, readRecording, readTopology } from '../src/cli/case-folder.ts'
import { configSchema } from '../src/config/schema.ts'
import { type Clock, systemClock } from '../src/core/clock.ts'
import { FAULT_KINDS } from '../src/core/fault-kinds.ts'
import type { CaseInput } from '../src/diagnosis/case.ts'
import { diagnose, type DiagnoseOptions } from '../src/diagnosis/diagnose.ts'
import { makeCase } from '../src/diagnosis/testing/shop.ts'
import { investigateOnce } from '../src/incidents/investigation/once.ts'
import { recordedLogSource, recordedMetricSource } from '../src/incidents/investigation/recorded.ts'
import {
  adversary,
  garbageModel,
  honestModel,
  inventingModel,
  lyingModel,
  slowModel,
} from '../src/incidents/investigation/testing/models.ts'
import type { ChatModel } from '../src/llm/chat.ts'
import { silentLog } from '../src/observe/log.ts'

interface Case {
  readonly set: string
  readonly id: string
  readonly input: CaseInput
  readonly options: DiagnoseOptions
  readonly truth: string
}

const args = process.argv.slice(2)
const root = args.find((one) => !one.startsWith('--'))
const most = Number(
  args.find((one) => one.startsWith('--cases='))?.slice('--cases='.length) ?? Number.POSITIVE_INFINITY,
)

/** Ten times as fast, so that nobody waits ten seconds for a model that never answers. */
const HASTE = 10

interface Mode {
  readonly name: string
  readonly model: (one: Case) => ChatModel | undefined
  /** Of the cases, at most so many. */
  readonly most?: number
  readonly haste?: number
}
const MODES: readonly Mode[] = [
  { name: 'no model', model: () => undefined },
  { name: 'agrees', model: () => honestModel() },
  { name: 'lies with real lines', model: () => lyingModel() },
  { name: 'knows the truth and lies', model: ({ truth }) => adversary(truth) },
  { name: 'makes things up', model: () => inventingModel() },
  { name: 'garbage', model: () => garbageModel() },
  { name: 'never answers', model: () => slowModel(), most: 12, haste: HASTE },
]

/** What is proposed in a case without a model. */
const proposedAlone = new Map<string, readonly string[]>()

const cases = [...madeUp(), ...(root === undefined ? [] : await recorded(root))]
const sets = [...new Set(cases.map(({ set }) => set))]
const table: Record<string, string | number>[] = []
for (const set of sets) {
  const all = cases.filter((one) => one.set === set).slice(0, most)
  for (const mode of MODES) table.push(await measure(set, mode, all.slice(0, mode.most)))
}
console.table(table)
console.log(
  'Dollars at the list prices of a small model, $0.15 and $0.60 a million tokens; seconds a case, on this machine.',
)

async function measure(set: string, mode: Mode, of: readonly Case[]) {
  const sum = {
    right: 0,
    named: 0,
    sureAndWrong: 0,
    removed: 0,
    caused: 0,
    lost: 0,
    reordered: 0,
    calls: 0,
    tools: 0,
    tokens: 0,
    usd: 0,
    ms: 0,
  }
  for (const one of of) {
    const began = performance.now()
    const { report, proposals } = await investigate(one, mode)
    const [cause] = report.causes
    sum.ms += (performance.now() - began) * (mode.haste ?? 1)
    if (cause) sum.named++
    if (cause?.service === one.truth || (!cause && one.truth === '')) sum.right++
    else if (cause && cause.confidence >= 0.8) sum.sureAndWrong++
    sum.removed += report.deliberation?.claimsRemoved ?? 0
    const alone = proposedAlone.get(`${one.set} ${one.id}`) ?? proposals
    proposedAlone.set(`${one.set} ${one.id}`, alone)
    sum.caused += proposals.filter((action) => !alone.includes(action)).length
    sum.lost += alone.filter((action) => !proposals.includes(action)).length
    if (report.deliberation?.reordered) sum.reordered++
    const spent = report.deliberation?.spent
    sum.calls += spent?.modelCalls ?? 0
    sum.tools += spent?.toolCalls ?? 0
    sum.tokens += spent?.tokens ?? 0
    sum.usd += spent?.costUsd ?? 0
  }
  const each = (total: number, digits = 1): string => (total / Math.max(1, of.length)).toFixed(digits)
  return {
    set,
    model: mode.name,
    cases: of.length,
    right: `${Math.round((100 * sum.right) / Math.max(1, of.length))} %`,
    named: sum.named,
    'sure and wrong': sum.sureAndWrong,
    reordered: sum.reordered,
    'claims removed': sum.removed,
    'actions caused': sum.caused,
    'proposals lost': sum.lost,
    'model calls': each(sum.calls),
    'tool calls': each(sum.tools),
    tokens: each(sum.tokens, 0),
    usd: each(sum.usd, 5),
    seconds: each(sum.ms / 1000, 2),
  }
}

/** Through the whole graph, as an incident is: read from sources, diagnosed, looked into, challenged, reported. */
async function investigate(one: Case, { model, haste = 1 }: Mode) {
  const { input, options } = one
  const endMs = Math.max(...input.series.map(({ points }) => points.at(-1)?.[0] ?? input.alertAtMs))
  const beginMs = Math.min(...input.series.map(({ points }) => points[0]?.[0] ?? input.alertAtMs))
  const services: Record<string, { dependsOn: string[] }> = {}
  for (const { caller, callee } of input.topology) (services[caller] ??= { dependsOn: [] }).dependsOn.push(callee)
  const { agent } = configSchema.parse({
    agent: {
      services,
      // For whatever is named; nobody approves, so that nothing is sent.
      actions: [
        {
          name: 'restart',
          does: 'restart',
          services: ['*'],
          fits: [...FAULT_KINDS],
          title: 'Restart {service}',
          expected: 'It is well again.',
          undo: 'None needed.',
          risk: 3,
          request: { url: 'http://127.0.0.1:9/services/{service}/restart' },
        },
      ],
      diagnosis: {
        baselineSeconds: Math.max(60, (input.alertAtMs - beginMs) / 1000),
        stepSeconds: input.stepMs / 1000,
      },
      investigation: { sureAt: 1, maxModelCalls: 100, maxTokens: 1_000_000, maxToolCalls: 300 },
    },
  })
  const began = performance.now()
  const clock: Clock = {
    now: () => Math.round(endMs + (performance.now() - began) * haste),
    sleep: (ms, signal) => systemClock.sleep(ms / haste, signal),
  }
  return await investigateOnce(
    {
      alerts: input.symptoms.map(({ service, name, startsAtMs }) => ({
        name,
        service,
        severity: 'critical',
        status: 'firing',
        startsAt: startsAtMs,
        labels: {},
        annotations: {},
      })),
      sources: {
        metrics: [recordedMetricSource('recorded metrics', input.series)],
        logs: [recordedLogSource('recorded logs', input.logs)],
      },
      changes: async ({ fromMs, toMs }) => input.changes.filter(({ at }) => at >= fromMs && at <= toMs),
      config: { ...agent, model: 'small', largerModel: 'large' },
      diagnose: (read) => diagnose({ ...read, topology: [...read.topology, ...input.topology] }, options),
      chatModel: model(one),
      clock,
      log: silentLog(),
    },
    new AbortController().signal,
  )
}

/** Every kind of fault at two services, two loads of it, and two quiet times in which nothing is wrong. */
function madeUp(): Case[] {
  const of = [
    ['inventory', 3],
    ['payment', 8],
  ] as const
  return FAULT_KINDS.flatMap((kind) =>
    of.flatMap(([service, seed]) =>
      [1, 0.4].map((severity): Case => {
        const input = makeCase({ kind, service, seed, quietSeconds: 300, severity })
        return {
          set: 'made up',
          id: `${kind} ${service} ${severity}`,
          input,
          options: {},
          truth: guiltyOf(kind, service),
        }
      }),
    ),
  )
}

/** Some faults sit elsewhere than where they are asked for. */
function guiltyOf(kind: (typeof FAULT_KINDS)[number], service: string): string {
  if (kind === 'queue_backlog') return 'orders-queue'
  return kind === 'provider_failure' ? 'model-provider' : service
}

async function recorded(folder: string): Promise<Case[]> {
  const truthFile = z.record(z.string(), z.object({ service: z.string() }))
  const found: Case[] = []
  for (const set of readdirSync(folder).filter((name) => existsSync(join(folder, name, 'truth.json')))) {
    const truth = truthFile.parse(JSON.parse(readFileSync(join(folder, set, 'truth.json'), 'utf8')))
    const topology = await readTopology(join(folder, set, 'topology.csv'))
    const reference = await readRecording(join(folder, set, 'baseline'), topology)
    for (const id of Object.keys(truth).sort().slice(0, most)) {
      const { input } = await readCase(join(folder, set, 'cases', id), topology)
      found.push({
        set,
        id,
        input,
        options: { reference, observers: ['user-facing'] },
        truth: truth[id]?.service ?? '',
      })
    }
  }
  return found
}
