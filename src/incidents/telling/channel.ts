// A way to tell people of an incident: a webhook, a chat, a ticket. Each is a folder of its own and speaks its own words.
import type { NewsKind } from './news.ts'
import type { ToldIncident } from './told-incident.ts'

/** Where one news goes. */
export interface Target {
  /** A channel's name. */
  readonly channel: string
  /** Whom there: `#checkout`, an address, a project. null: the channel's own default. */
  readonly to: string | null
}

/** What was left behind by an earlier news of the same incident at the same target, for the next one to go on from. */
export interface Trace {
  /** The channel's own way to find it again: a message's timestamp, a ticket's key. */
  readonly reference: string
  /** What people call it: `OPS-12`, `#oncall`. */
  readonly title: string
  /** Where people open it. */
  readonly url: string | null
}

export interface News {
  readonly kind: NewsKind
  readonly step: string
  readonly at: number
  readonly details: Readonly<Record<string, unknown>>
  readonly to: string | null
  /** The same for every try: what a receiver knows a repetition by. */
  readonly key: string
  /** As it stands now, which may be later than the news. */
  readonly incident: ToldIncident
  readonly trace: Trace | undefined
  /** Keeps the trace at once, so that a crash after it cannot file the same thing twice. */
  readonly leave: (trace: Trace) => Promise<void>
}

/**
 * A step of an escalation that is told when somebody answered meanwhile. What a new route tells is news to whoever it tells,
 * also then.
 */
export const isAnswered = ({ kind, details, incident }: News): boolean =>
  kind === 'escalated' && incident.isAcknowledged && details['step'] !== undefined

export interface Channel {
  /** Its key in the config. */
  readonly name: string
  readonly wants: ReadonlySet<NewsKind>
  /** Told of every incident, whatever its route: no route leads to it. */
  readonly unrouted?: true
  /**
   * Returns the sentence for the timeline, or undefined where nothing had to be done. Throws where it did not arrive, and is
   * called again then, later and with the same key: what may have arrived must be looked for before it is sent again.
   */
  tell(news: News, signal: AbortSignal): Promise<string | undefined>
  /** For `midwatch doctor`: what works, in a sentence; throws AppError with what to do. Tells nobody anything. */
  readonly examine?: (signal: AbortSignal) => Promise<string>
}
