// Which questions an incident's alerts make of what the config wants asked: each once, for each service that hurts.
import { fillTemplate } from '../../core/template.ts'
import type { AlertRow } from '../tables.ts'
import { alertViewOf } from '../read-alerts.ts'

export interface Ask {
  readonly tool: string
  readonly arguments: Readonly<Record<string, string | number | boolean>>
}

export interface Question {
  readonly tool: string
  readonly arguments: Readonly<Record<string, string | number | boolean>>
  /** The arguments as JSON: by this a question is the same. */
  readonly key: string
}

/** Of one entry of the config, and of all of a source. */
const MOST_AN_ASK = 5
const MOST_QUESTIONS = 20
const MAX_VALUE = 500

/** An alert that cannot fill a question (it names no service) asks none. */
export function questionsOf(asks: readonly Ask[], alerts: readonly AlertRow[]): readonly Question[] {
  const values = alerts.map(valuesOf)
  const questions = asks.flatMap((ask) => {
    const made = new Map<string, Question>()
    for (const known of values) {
      const filled = fill(ask, known)
      if (filled !== undefined && made.size < MOST_AN_ASK) made.set(filled.key, filled)
    }
    return [...made.values()]
  })
  return questions.slice(0, MOST_QUESTIONS)
}

function fill({ tool, arguments: wanted }: Ask, values: Readonly<Record<string, string>>): Question | undefined {
  try {
    const filled = Object.fromEntries(
      Object.entries(wanted).map(([name, value]) => [
        name,
        typeof value === 'string' ? fillTemplate(value, values) : value,
      ]),
    )
    return { tool, arguments: filled, key: JSON.stringify(filled) }
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function valuesOf(row: AlertRow): Readonly<Record<string, string>> {
  const { name, severity, service, summary, startsAt } = alertViewOf(row)
  const clip = (text: string) => text.slice(0, MAX_VALUE).toWellFormed()
  return {
    ...(service === null ? {} : { service: clip(service) }),
    alert: clip(name),
    severity: clip(severity),
    summary: clip(summary),
    startsAt: new Date(startsAt).toISOString(),
  }
}
