// One request of a sender as the alerts in it: decoded, read by its reader, and all or nothing. Every part of a body ends
// as an alert, a notice or something that was not understood; none of them just disappears.
import { AppError } from '../../core/errors.ts'
import type { Body } from './decode-body.ts'
import { notUnderstood } from '../incoming-alert.ts'
import type { ReadContext, Reading, Sender } from './sender.ts'

/** Throws `malformed` where a batch has a broken alert; in a list of bodies its place comes before the field. */
export function readBody(
  sender: Sender,
  body: Body,
  context: ReadContext,
): Required<Omit<Reading, 'truncated'>> & Reading {
  const readings = body.kind === 'text' ? [readAsText(sender, body.text, context)] : readObjects(sender, body, context)
  const alerts = readings.flatMap((reading) => reading.alerts)
  const truncated = readings.reduce((sum, reading) => sum + (reading.truncated ?? 0), 0)
  return {
    alerts,
    accepted: readings.reduce((sum, reading) => sum + (reading.accepted ?? reading.alerts.length), 0),
    jobs: readings.flatMap(({ jobs = [] }) => jobs),
    ...(truncated > 0 ? { truncated } : {}),
  }
}

const readAsText = (sender: Sender, text: string, context: ReadContext): Reading =>
  sender.readText?.(text, context) ?? {
    alerts: [notUnderstood(sender.title, 'it is plain text', text, context.nowMs)],
  }

function readObjects(sender: Sender, { objects }: Body & { kind: 'json' }, context: ReadContext): readonly Reading[] {
  if (objects.length === 1 && objects[0]) return [sender.read(objects[0], context)]
  return objects.map((object, i) => {
    try {
      return sender.read(object, context)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      const field = error.field === undefined ? String(i) : `${i}.${error.field}`
      throw new AppError(error.code, `Item ${i} of the list: ${error.message}`, { field, cause: error })
    }
  })
}
