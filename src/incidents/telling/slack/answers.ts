// What people answer in Slack, done as if they had said it on the page: the same functions, in the tenant of the incident,
// in the name of the person. A button counts only under the message that we hold for that incident, and only once.
import type { AuditTables } from '../../../audit/tables.ts'
import type { Clock } from '../../../core/clock.ts'
import { AppError } from '../../../core/errors.ts'
import type { Db } from '../../../db/connect.ts'
import type { QueueTables } from '../../../db/queue.ts'
import { acknowledge } from '../../acknowledge.ts'
import type { IncidentFeed } from '../../feed.ts'
import type { Investigator } from '../../investigation/investigator.ts'
import type { IncidentRow, IncidentTables } from '../../tables.ts'
import type { Carried } from './buttons.ts'
import type { People } from './people.ts'
import { sayDryRun } from './say-dry-run.ts'
import { SLACK } from './slack.ts'

export interface AnswersDeps {
  readonly db: Db<IncidentTables & QueueTables & AuditTables>
  readonly investigator: Pick<Investigator, 'decide' | 'dryRun' | 'giveFeedback'>
  readonly people: People
  readonly feed: IncidentFeed
  readonly clock: Clock
}

/** Who said it and under which message. */
export interface Said {
  readonly user: string
  readonly channel: string
  readonly ts: string
  readonly about: Pick<Carried, 'incident' | 'approval' | 'confirmed'>
}

/** Each gives what the person is told. They throw AppError with why it was not done. */
export interface Answers {
  approve(said: Said, signal: AbortSignal): Promise<string>
  refuse(said: Said, reason: string | undefined, signal: AbortSignal): Promise<string>
  dryRun(said: Said, signal: AbortSignal): Promise<string>
  acknowledge(said: Said, signal: AbortSignal): Promise<string>
  feedback(said: Said, feedback: Given, signal: AbortSignal): Promise<string>
  /** Throws unless this person could answer so: asked before a question is opened. */
  check(said: Said, signal: AbortSignal): Promise<void>
}

interface Given {
  readonly verdict: 'right' | 'wrong'
  readonly service?: string | undefined
  readonly text?: string | undefined
}

export function createAnswers({ db, investigator, people, feed, clock }: AnswersDeps): Answers {
  const begin = async (said: Said, signal: AbortSignal) => {
    const incident = await incidentUnder(db, said)
    return { incident, person: await people.get(said.user, incident.tenant, 'incidents:approve', signal) }
  }
  const decide = async (
    said: Said,
    decision: 'approve' | 'refuse',
    reason: string | undefined,
    signal: AbortSignal,
  ) => {
    const { incident, person } = await begin(said, signal)
    const { approval: approvalId, confirmed } = said.about
    if (approvalId === undefined) throw new AppError('malformed', 'This button belongs to no proposal.')
    const who = { tenant: incident.tenant, by: person.name, keyId: keyOf(person.keyId) }
    return await investigator.decide({ incidentId: incident.id, approvalId, ...who, decision, reason, confirmed })
  }
  return {
    approve: async (said, signal) => {
      const { needed } = await decide(said, 'approve', undefined, signal)
      return needed > 0 ? 'Your approval counts. One more person has to approve it.' : 'Approved.'
    },
    refuse: async (said, reason, signal) => {
      await decide(said, 'refuse', reason, signal)
      return 'Refused.'
    },
    dryRun: async (said, signal) => {
      const { incident } = await begin(said, signal)
      const { approval: approvalId = '' } = said.about
      const { id: incidentId, tenant } = incident
      return sayDryRun(await investigator.dryRun({ incidentId, approvalId, tenant }, signal))
    },
    acknowledge: async (said, signal) => {
      const { incident, person } = await begin(said, signal)
      const { isNew } = await db.transaction().execute(async (trx: AnswersDeps['db']) => {
        const { state } = await incidentUnder(trx, said)
        if (state === 'closed') throw new AppError('conflict', `Incident ${incident.number} is closed.`)
        return await acknowledge(trx, incident, person.name, clock.now())
      })
      feed.publish(incident.id)
      return isNew ? 'The others see now that you look after it.' : 'The others see already that you look after it.'
    },
    feedback: async (said, { verdict, service, text }, signal) => {
      const { incident, person } = await begin(said, signal)
      const { id: incidentId, tenant } = incident
      await investigator.giveFeedback({ incidentId, tenant, by: person.name, verdict, service, text })
      return 'Thank you. Midwatch has learned it.'
    },
    check: async (said, signal) => void (await begin(said, signal)),
  }
}

/** Where nobody needs a key there is none to tell people apart by. */
const keyOf = (keyId: string): string | undefined => (keyId === 'local' ? undefined : keyId)

/** The incident whose message this is. Throws `conflict` where the message is another one or an old copy. */
async function incidentUnder(db: AnswersDeps['db'], { about, channel, ts }: Said): Promise<IncidentRow> {
  const trace = await db
    .selectFrom('told_traces')
    .select('incident_id')
    .where('channel', '=', SLACK)
    .where('reference', '=', `${channel}:${ts}`)
    .where('incident_id', '=', about.incident)
    .executeTakeFirst()
  if (!trace)
    throw new AppError(
      'conflict',
      'This message is not the one that Midwatch keeps for this incident. Use the newest one, or the page.',
    )
  return await db.selectFrom('incidents').selectAll().where('id', '=', trace.incident_id).executeTakeFirstOrThrow()
}
