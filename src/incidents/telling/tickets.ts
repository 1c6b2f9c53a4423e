// A ticket for an incident, whichever system keeps it: filed once it is worth one, found again before one is filed, commented
// on once for each later news, closed with the incident and reopened with it. No ticket system takes a key that makes a second
// filing the same as the first, so each tells how it finds what may have arrived; this is the order in which it is asked.
import { NEWS_KINDS } from '../../config/telling-schema.ts'
import type { Channel, News, Trace } from './channel.ts'
import { type Part, sayIncident, sayNews } from './ticket-words.ts'

export interface Ticket {
  readonly trace: Trace
  readonly isClosed: boolean
  /** The news it was filed with, if that can still be read. */
  readonly filedWith: Filing | undefined
}

export interface Filing {
  readonly step: string
  readonly at: number
}

export interface TicketSystem {
  readonly name: 'jira' | 'github'
  /** As people call it: "Jira". */
  readonly kind: string
  /** The project or repository; throws `malformed` for what cannot be one. */
  placeOf(to: string | null): string
  /** By what was left in a ticket itself; undefined only where there is none. */
  find(news: News, place: string, signal: AbortSignal): Promise<Ticket | undefined>
  /** Undefined where it is gone, or hidden from us. */
  read(reference: string, signal: AbortSignal): Promise<Ticket | undefined>
  file(news: News, place: string, parts: readonly Part[], signal: AbortSignal): Promise<Ticket>
  hasComment(ticket: Ticket, news: News, signal: AbortSignal): Promise<boolean>
  comment(ticket: Ticket, news: News, parts: readonly Part[], signal: AbortSignal): Promise<void>
  /** What was done, or why it was not, as a sentence; undefined where nothing had to be. */
  close(ticket: Ticket, signal: AbortSignal): Promise<string | undefined>
  reopen(ticket: Ticket, signal: AbortSignal): Promise<string | undefined>
  /** See `Channel.examine`. */
  examine(signal: AbortSignal): Promise<string>
}

/** From which news on an incident is worth a ticket. */
export type FiledOn = 'opened' | 'diagnosed'

/** That somebody looks after it is no comment. */
const WANTS = new Set(NEWS_KINDS.filter((kind) => kind !== 'acknowledged'))

export function createTickets(system: TicketSystem, on: FiledOn): Channel {
  return {
    name: system.name,
    wants: WANTS,
    examine: (signal) => system.examine(signal),
    async tell(news, signal) {
      const { trace, incident } = news
      const place = system.placeOf(news.to)
      const ticket = trace ? await system.read(trace.reference, signal) : await system.find(news, place, signal)
      if (!ticket) {
        if (trace)
          return `${trace.title} is not in ${system.kind} any more, or is hidden from Midwatch: nothing was added to it (${news.kind}).`
        if (!isWorthOne(news, on)) return undefined
        const filed = await system.file(news, place, sayIncident(incident, news.step), signal)
        await news.leave(filed.trace)
        return `Filed ${filed.trace.title} in ${system.kind}.`
      }
      // Also where it moved since: people look for it by its name of today.
      if (trace?.title !== ticket.trace.title) await news.leave(ticket.trace)
      const { title } = ticket.trace
      if (ticket.filedWith?.step === news.step) return `Filed ${title} in ${system.kind}.`
      const parts = isTold(news, ticket) ? undefined : sayNews(news)
      if (!parts) return undefined
      // Many workflows take no comment on what is closed.
      const reopened = await reopenWith(system, news, ticket, signal)
      if (!(await system.hasComment(ticket, news, signal))) await system.comment(ticket, news, parts, signal)
      const moved = reopened ?? (await closeWith(system, news, ticket, signal))
      return [`Added to ${title}: ${news.kind}.`, ...(moved === undefined ? [] : [moved])].join(' ')
    },
  }
}

const isWorthOne = ({ kind }: News, on: FiledOn): boolean => kind !== 'closed' && (on === 'opened' || kind !== 'opened')

/** What a ticket said when it was filed is not said again by a news from before, that comes late. */
const isTold = ({ at, kind }: News, { filedWith }: Ticket): boolean =>
  kind !== 'closed' && filedWith !== undefined && at < filedWith.at

const reopenWith = async (
  system: TicketSystem,
  { kind, incident }: News,
  ticket: Ticket,
  signal: AbortSignal,
): Promise<string | undefined> =>
  kind === 'opened' && incident.state !== 'closed' ? await system.reopen(ticket, signal) : undefined

/** By how the incident stands now: a closing that is told after it began again closes nothing. */
const closeWith = async (
  system: TicketSystem,
  { kind, incident }: News,
  ticket: Ticket,
  signal: AbortSignal,
): Promise<string | undefined> =>
  kind === 'closed' && incident.state === 'closed' ? await system.close(ticket, signal) : undefined
