// A status update as a message: what people notice first, and no button.
import { sayStatus, type StatusUpdate } from '../status-update.ts'
import { context, escape, sections } from './mrkdwn.ts'
import type { Post } from './post-once.ts'

export function statusMessage(update: StatusUpdate): Post {
  const { headline, doing, since, next } = update
  return {
    text: sayStatus(update),
    blocks: [
      ...sections([`*${escape(headline)}*`, escape(doing)]),
      context(escape(next === null ? since : `${since} ${next}`)),
    ],
  }
}
