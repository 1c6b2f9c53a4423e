// What a subscription to CloudWatch Logs delivers: gzipped JSON in base64 of the lines that matched its filter. That a
// line matched is the alert; the filter and the log group are what it is known by.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
import { gunzipSync } from 'node:zlib'
import { z } from 'zod'
import { completeAlert, type IncomingAlert, notice, notUnderstood } from '../../incoming-alert.ts'
import { isObject, parts, text, texts, time } from '../loose.ts'

const MAX_BYTES = 8 * 1024 * 1024
const SHOWN_LINES = 5

const shape = z.object({
  messageType: text,
  owner: text,
  logGroup: text,
  logStream: text,
  subscriptionFilters: texts,
  logEvents: parts({ id: text, timestamp: time, message: text }),
})

export function readLogEvents(data: string, nowMs: number): IncomingAlert {
  const unreadable = (reason: string) => notUnderstood('CloudWatch Logs', `awslogs.data ${reason}`, data, nowMs)
  let json: string
  try {
    json = gunzipSync(Buffer.from(data, 'base64'), { maxOutputLength: MAX_BYTES }).toString('utf8')
  } catch {
    return unreadable('is not gzip in base64, or more than 8 MiB of it')
  }
  const unpacked = readJson(json)
  if (!isObject(unpacked)) return unreadable('holds no JSON object')
  const said = shape.parse(unpacked)
  if (said.messageType === 'CONTROL_MESSAGE')
    return notice('CloudWatch Logs', 'a check whether the destination can be reached', data, nowMs)
  if (said.logGroup === undefined) return unreadable('names no logGroup')
  const lines = said.logEvents.map(({ message }) => message).filter((message) => message !== undefined)
  const [filter] = said.subscriptionFilters
  return completeAlert(
    {
      name: `${filter ?? 'Log lines'} matched in ${said.logGroup}`,
      service: said.logGroup.split('/').findLast((piece) => piece !== ''),
      severity: lines.some((line) => /\b(?:FATAL|PANIC|CRITICAL|EMERG)/i.test(line)) ? 'critical' : undefined,
      status: 'firing',
      toldAtMs: said.logEvents.at(-1)?.timestamp,
      startsAtMs: said.logEvents[0]?.timestamp,
      labels: { log_group: said.logGroup, filter, account: said.owner },
      annotations: {
        summary: lines[0],
        lines: lines.slice(0, SHOWN_LINES).join('\n'),
        count: String(lines.length),
        log_stream: said.logStream,
      },
    },
    nowMs,
  )
}

function readJson(json: string): unknown {
  try {
    return JSON.parse(json) as unknown
  } catch {
    return undefined
  }
}
