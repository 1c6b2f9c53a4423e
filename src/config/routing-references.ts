// What teams and routes name must exist: a page that goes to a person or a channel that is not there wakes nobody. Like
// references.ts it takes only what it needs and leaves what is malformed to the schema.
import { z } from 'zod'
import type { Problem } from './references.ts'

const text = z.string().optional().catch(undefined)
const target = z.looseObject({ channel: text, to: text })
const targets = z.array(target).catch([])
const names = z.array(z.string()).catch([])
const keys = z.record(z.string(), z.unknown()).catch({})

const team = z.looseObject({
  people: z.record(z.string(), z.looseObject({ reach: targets })).catch({}),
  targets,
  schedules: z
    .record(z.string(), z.looseObject({ layers: z.array(z.looseObject({ people: names })).catch([]) }))
    .catch({}),
  escalation: z
    .looseObject({
      steps: z
        .array(
          z.looseObject({
            tell: z.array(z.looseObject({ onCall: text, person: text, channel: text, to: text })).catch([]),
          }),
        )
        .catch([]),
    })
    .optional()
    .catch(undefined),
})

interface LooseTarget {
  readonly channel?: string | undefined
  readonly to?: string | undefined
}

interface LooseRoute {
  readonly name?: string | undefined
  readonly team?: string | undefined
  readonly targets: readonly LooseTarget[]
  readonly routes: readonly LooseRoute[]
}
const route: z.ZodType<LooseRoute> = z.looseObject({
  name: text,
  team: text,
  targets,
  routes: z.lazy(() => z.array(route).catch([])),
})

const parts = z.looseObject({
  agent: z.looseObject({
    notify: z
      .looseObject({
        slack: z.looseObject({ statusChannel: text }).optional().catch(undefined),
        email: z.looseObject({ news: names.optional() }).optional().catch(undefined),
        pagerduty: z.looseObject({ routingKeys: keys }).optional().catch(undefined),
      })
      .catch({}),
    tickets: keys,
    teams: z.record(z.string(), team).catch({}),
    routes: z.array(route).catch([]),
  }),
})

export function findRoutingContradictions(raw: unknown): readonly Problem[] {
  const read = parts.safeParse(raw)
  if (!read.success) return []
  const { teams, routes, notify, tickets } = read.data.agent
  const channels = [
    ...Object.keys(notify).flatMap((one) =>
      one === 'slack' && notify.slack?.statusChannel !== undefined
        ? ['slack', 'slack-status']
        : one === 'status'
          ? []
          : one,
    ),
    ...Object.keys(tickets),
  ]
  const problems: Problem[] = []
  const tell = (path: Problem['path'], message: string): void =>
    void problems.push({ path: ['agent', ...path], message })
  const list = (all: readonly string[]): string => all.join(', ') || 'none'
  const pages = Object.keys(notify.pagerduty?.routingKeys ?? {})
  const checkTarget = (path: Problem['path'], { channel, to }: LooseTarget): void => {
    if (channel === undefined) return
    if (!channels.includes(channel))
      tell([...path, 'channel'], `no channel is called ${channel}; there is ${list(channels)}`)
    else if (channel === 'pagerduty' && to !== undefined && !pages.includes(to))
      tell([...path, 'to'], `agent.notify.pagerduty.routingKeys has no ${to}; there is ${list(pages)}`)
  }
  const checkTargets = (path: Problem['path'], all: readonly LooseTarget[]): void =>
    all.forEach((one, i) => checkTarget([...path, i], one))
  /** Of a target that is there to wake somebody. */
  const checkWaking = (path: Problem['path'], one: LooseTarget): void => {
    checkTarget(path, one)
    if (one.channel === 'slack-status')
      tell([...path, 'channel'], 'slack-status tells no escalation, so that nobody would be woken; take slack')
    if (one.channel === 'email' && notify.email?.news?.includes('escalated') === false)
      tell([...path, 'channel'], 'agent.notify.email.news has no escalated, so that nobody would be woken; add it')
  }
  for (const [name, { people, targets: own, schedules, escalation }] of Object.entries(teams)) {
    const at = ['teams', name]
    const checkPerson = (path: Problem['path'], person: string): void => {
      if (!Object.hasOwn(people, person))
        tell([...at, ...path], `${person} is not among the people of ${name}: ${list(Object.keys(people))}`)
    }
    checkTargets([...at, 'targets'], own)
    for (const [person, { reach }] of Object.entries(people))
      reach.forEach((one, i) => checkWaking([...at, 'people', person, 'reach', i], one))
    for (const [schedule, { layers }] of Object.entries(schedules))
      layers.forEach((layer, i) =>
        layer.people.forEach((person, j) => checkPerson(['schedules', schedule, 'layers', i, 'people', j], person)),
      )
    escalation?.steps.forEach((step, i) =>
      step.tell.forEach(({ onCall, person, ...one }, j) => {
        const path = ['escalation', 'steps', i, 'tell', j]
        if (person !== undefined) checkPerson([...path, 'person'], person)
        checkWaking([...at, ...path], one)
        if (onCall === undefined) return
        const [schedule = '', of = name] = onCall.split('/').reverse()
        if (!Object.hasOwn(teams[of]?.schedules ?? {}, schedule))
          tell(
            [...at, ...path, 'onCall'],
            `${of} has no schedule ${schedule}; it has ${list(Object.keys(teams[of]?.schedules ?? {}))}`,
          )
      }),
    )
  }
  const checkRoutes = (path: Problem['path'], all: readonly LooseRoute[]): void =>
    all.forEach((one, i) => {
      const here = [...path, i]
      if (one.name !== undefined && all.findIndex(({ name }) => name === one.name) !== i)
        tell([...here, 'name'], `two routes side by side are called ${one.name}`)
      if (one.team !== undefined && !Object.hasOwn(teams, one.team))
        tell([...here, 'team'], `no team is called ${one.team}; there is ${list(Object.keys(teams))}`)
      checkTargets([...here, 'targets'], one.targets)
      checkRoutes([...here, 'routes'], one.routes)
    })
  checkRoutes(['routes'], routes)
  return problems
}
