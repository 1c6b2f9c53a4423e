// Every fault in every dialect: one cell for a scenario, the caller's dialect, the provider's, streamed or plain, and who
// else could be asked. Each has a model of its own in the config, so that no breaker of one is opened by another.
import { answers, OTHER, OTHER_WORDS, WHOLE } from './behaviours.ts'
import type { Heard } from './callers.ts'
import type { Behaviour } from './fault-server.ts'
import { type Form, LIMITS, type Scenario, SCENARIOS, type Verdict } from './scenarios.ts'
import { type Speech, SPEECHES } from './speech.ts'

/**
 * `alone`: nobody else. `safe`: a fallback in another dialect. `differs`: one that says something else. `restart`: the
 * same, for a caller who would rather wait for a whole answer.
 */
export type Setting = 'alone' | 'safe' | 'differs' | 'restart'

export interface Cell {
  readonly id: string
  readonly scenario: Scenario
  readonly caller: Speech
  readonly asked: Speech
  readonly form: Form
  readonly setting: Setting
}

export const CELLS: readonly Cell[] = SCENARIOS.flatMap((scenario) =>
  SPEECHES.flatMap((caller) =>
    SPEECHES.flatMap((asked) =>
      scenario.forms.flatMap((form) => {
        const settings: readonly Setting[] = scenario.begun
          ? ['alone', 'safe', 'differs', 'restart']
          : ['alone', 'safe']
        return settings.map((setting) => ({
          id: `${scenario.name}.${caller}.${asked}.${form}.${setting}`,
          scenario,
          caller,
          asked,
          form,
          setting,
        }))
      }),
    ),
  ),
)

const FALLBACK = 'fallback.'
const byName = new Map(SCENARIOS.map((scenario) => [scenario.name, scenario]))

/** What the fault server does when it is asked for that model. */
export function behaviourOf(model: string): Behaviour {
  const isFallback = model.startsWith(FALLBACK)
  const [name = '', , , , setting] = (isFallback ? model.slice(FALLBACK.length) : model).split('.')
  const scenario = byName.get(name)
  if (!scenario) return answers()
  if (!isFallback) return scenario.first
  return setting === 'safe' ? (scenario.second ?? answers()) : answers(OTHER_WORDS)
}

/** `providers` and `models` of midwatch.yaml. */
export function configFor(port: number) {
  const openai = (api: string) => ({
    kind: 'openai',
    baseUrl: `http://127.0.0.1:${port}/v1`,
    apiKey: 'sk-upstream',
    api,
  })
  return {
    providers: {
      chat: openai('chat'),
      responses: openai('responses'),
      messages: { kind: 'anthropic', baseUrl: `http://127.0.0.1:${port}`, apiKey: 'sk-upstream' },
    },
    models: Object.fromEntries(CELLS.map((cell) => [cell.id, modelFor(cell)])),
  }
}

const PRICE = { inputUsd: 1, outputUsd: 1 }

function modelFor({ id, scenario, asked, setting }: Cell) {
  const other = SPEECHES[(SPEECHES.indexOf(asked) + 1) % SPEECHES.length] ?? 'chat'
  // The one that can take a prefill is Anthropic's API.
  const fallback = {
    provider: scenario.prefill ? 'messages' : other,
    model: `${FALLBACK}${id}`,
    price: PRICE,
    ...(scenario.prefill ? { prefill: true } : {}),
  }
  return {
    targets: [{ provider: asked, model: id, price: PRICE }, ...(setting === 'alone' ? [] : [fallback])],
    timeouts: LIMITS,
    retries: { max: 1, backoffMs: 20 },
    failover: { contextLength: true, contentPolicy: true },
  }
}

export const headersFor = ({ setting }: Cell): Readonly<Record<string, string>> =>
  setting === 'restart' ? { 'x-midwatch-on-cut': 'restart' } : {}

export function expectedOf({ scenario, asked, form, setting }: Cell): Verdict {
  switch (setting) {
    case 'alone':
      return typeof scenario.alone === 'function' ? scenario.alone(asked, form) : scenario.alone
    case 'safe':
      return scenario.safe
    case 'differs':
      return 'error'
    case 'restart':
      return 'whole'
  }
}

/** What is wrong with what the caller got; null when it is right. */
export function judge(cell: Cell, heard: Heard): string | null {
  if (heard.kind === 'wrong') return heard.why
  const expected = expectedOf(cell)
  if (heard.kind === 'error') {
    if (expected !== 'error') return `an error (${heard.status ?? 'in the stream'}) where an answer could be had`
    if (!WHOLE.startsWith(heard.text))
      return `what came before the error is not of one answer: ${heard.text.slice(-40)}`
    const { status } = cell.scenario
    return status === undefined || heard.status === status ? null : `the status ${heard.status}, not ${status}`
  }
  if (expected === 'error') return `an end that looks clean, after ${heard.text.length} characters`
  const whole = cell.setting === 'restart' ? OTHER : WHOLE
  if (heard.text !== whole) return `not the whole answer: ${heard.text.length} characters of ${whole.length}`
  const end = expected === 'whole' ? 'stop' : 'withheld'
  return heard.end === end ? null : `it ended as ${heard.end}, not ${end}`
}
