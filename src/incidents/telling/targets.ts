// Whom a news goes to.
import type { Db } from '../../db/connect.ts'
import type { QueueTables } from '../../db/queue.ts'
import type { IncidentTables } from '../tables.ts'
import type { Channel, Target } from './channel.ts'
import type { PlannedNews } from './news.ts'

/** Called inside the transaction that hands the news out: what it writes there is written once. */
export type TargetsOf = (
  trx: Db<IncidentTables & QueueTables>,
  news: PlannedNews,
  channels: readonly Channel[],
) => Promise<readonly Target[]>

/** Where nothing is said of routes: everywhere, to each channel's own default. */
export const everyChannel: TargetsOf = (_trx, _news, channels) =>
  Promise.resolve(channels.map(({ name }) => ({ channel: name, to: null })))
