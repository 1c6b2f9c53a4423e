// Who looks side by side: for each what it may ask, and what it asks at once, with or without a model.
import { queryOf, type ToolName, type ToolQuery } from './query.ts'

export const SPECIALISTS = ['metrics', 'logs', 'changes', 'knowledge', 'past', 'gateway'] as const
export type SpecialistName = (typeof SPECIALISTS)[number]

/** What every specialist is told of the incident. */
export interface Brief {
  /** The services most likely at fault, best first; few. */
  readonly suspects: readonly string[]
  /** What to search documents for. */
  readonly question: string
  /** Somebody reads the whole: then the whole is asked for. */
  readonly withModel: boolean
}

export interface Specialist {
  readonly tools: readonly ToolName[]
  readonly opening: (brief: Brief) => readonly ToolQuery[]
  /** In the prompt: what it is good at. */
  readonly about: string
}

const each = (tool: ToolName) => (services: readonly string[]) => services.map((service) => queryOf(tool, { service }))

export const SPECIALIST: Readonly<Record<SpecialistName, Specialist>> = {
  metrics: {
    tools: ['list_anomalies', 'query_series', 'neighbours', 'page'],
    opening: ({ suspects, withModel }) => [
      ...each('list_anomalies')(suspects),
      ...(withModel ? [queryOf('list_anomalies')] : []),
    ],
    about: 'numbers: which series moved first and furthest, and which did not move',
  },
  logs: {
    tools: ['log_templates', 'search_logs', 'page'],
    opening: ({ suspects, withModel }) => [
      ...each('log_templates')(suspects),
      ...(withModel ? [queryOf('log_templates')] : []),
    ],
    about: 'logs: which templates are new, surged or fell silent, and what the lines say',
  },
  changes: {
    tools: ['list_changes', 'neighbours', 'page'],
    opening: () => [queryOf('list_changes')],
    about: 'changes: what was deployed, set or switched shortly before, and where',
  },
  knowledge: {
    tools: ['search_knowledge', 'page'],
    // The runbook for the report is asked for anyway.
    opening: ({ question, withModel }) =>
      question === '' || !withModel ? [] : [queryOf('search_knowledge', { contains: question.slice(0, 200) })],
    about: 'runbooks: what is known of such troubles',
  },
  past: {
    tools: ['past_cases', 'page'],
    opening: () => [queryOf('past_cases')],
    about: 'earlier incidents: which looked like this, and what they turned out to be',
  },
  gateway: {
    tools: ['model_calls', 'page'],
    opening: () => [queryOf('model_calls')],
    about: 'model calls: whether a model provider fails',
  },
}
