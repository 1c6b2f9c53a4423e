// Tells of incidents in Slack: one message for each, kept as the incident stands, and a thread with its steps. A second
// channel, where there is one, tells people who are not engineers; it never waits for the first.
import { NEWS_KINDS } from '../../../config/telling-schema.ts'
import type { SlackConfig } from '../../../config/slack-schema.ts'
import { type Clock, systemClock } from '../../../core/clock.ts'
import type { Channel } from '../channel.ts'
import { STATUS_NEWS, statusUpdateOf } from '../status-update.ts'
import { incidentMessage } from './incident-message.ts'
import type { TellSlack } from './open-slack.ts'
import { statusMessage } from './status-message.ts'
import { stepMessage } from './step-message.ts'

export interface SlackChannelOptions {
  /** What people call services who are not engineers. */
  readonly names: Readonly<Record<string, string>>
  readonly clock?: Clock
}

/** The names under which their traces are kept. */
export const SLACK = 'slack'
const STATUS = 'slack-status'

/** One, or two with a channel for status updates. Their `tell` throws AppError with what to do. */
export function createSlackChannels(
  config: SlackConfig,
  { names, clock = systemClock }: SlackChannelOptions,
): Channel[] {
  let opened: Promise<TellSlack> | undefined
  const open = (): Promise<TellSlack> =>
    (opened ??= import('./open-slack.ts').then(({ openSlack }) => openSlack(config, clock)))
  const withButtons = config.signingSecret !== undefined || config.appToken !== undefined
  const channel: Channel = {
    name: SLACK,
    wants: new Set(NEWS_KINDS),
    examine: async (signal) => (await import('./examine.ts')).examineSlack(config, signal),
    tell: async (news, signal) => {
      const place = news.to ?? config.channel
      const told = { message: incidentMessage(news.incident, { withButtons }), reply: stepMessage(news) }
      await (
        await open()
      )(news, place, told, signal)
      return `Slack was told in ${news.trace?.title ?? place}: ${news.kind}.`
    },
  }
  const { statusChannel } = config
  if (statusChannel === undefined) return [channel]
  const status: Channel = {
    name: STATUS,
    wants: STATUS_NEWS,
    // Those people are told of every incident, whichever team it goes to.
    unrouted: true,
    tell: async (news, signal) => {
      const place = news.to ?? statusChannel
      const update = statusUpdateOf(news.incident, names)
      const message = statusMessage(update)
      // What opens it says all there is to say yet; the thread has only what is new.
      const isNew = news.trace !== undefined && news.kind !== 'opened' && (news.kind !== 'diagnosed' || update.isKnown)
      await (
        await open()
      )(news, place, { message, reply: isNew ? message : undefined }, signal)
      return `The status in ${place} was brought up to date: ${news.kind}.`
    },
  }
  return [channel, status]
}
