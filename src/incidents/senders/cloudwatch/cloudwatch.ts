// CloudWatch's alarms, however they come: through SNS over HTTP (as text/plain, with a handshake first), as what a Lambda
// function gets of SNS, EventBridge or an alarm's action, and lines of CloudWatch Logs. What else a topic carries is
// taken where it says clearly that something is wrong; the rest is kept and shown.
import { completeAlert, type IncomingAlert, notice, notUnderstood } from '../../incoming-alert.ts'
import { isObject, opened, textOf } from '../loose.ts'
import type { JsonObject, Reading, Sender } from '../sender.ts'
import { readPlainText } from '../text-rules.ts'
import { alarmIn, readAlarm, regionOf } from './alarm.ts'
import { readLogEvents } from './log-events.ts'
import { readEnvelope, snsAddress, type SnsMessage } from './sns.ts'
import { CONFIRM_SUBSCRIPTION } from './subscription.ts'

export const cloudwatch: Sender = {
  name: 'cloudwatch',
  aliases: ['sns', 'aws'],
  title: 'CloudWatch',
  recognises: (body, headers) =>
    headers['x-amz-sns-message-type'] !== undefined ||
    readEnvelope(body) !== undefined ||
    'AlarmName' in body ||
    'awslogs' in body ||
    'alarmData' in body ||
    ('detail-type' in body && isObject(body['detail'])) ||
    (Array.isArray(body['Records']) && body['Records'].some((one) => isObject(one) && 'Sns' in one)),
  read: (body, { nowMs }) => readBody(body, nowMs),
  // What SNS delivers "raw" is the message alone.
  readText: (text, { headers, nowMs }) => ({
    alerts: [readMessage({ message: text, topic: textOf(headers['x-amz-sns-topic-arn']) }, text, nowMs)],
  }),
}

function readBody(body: JsonObject, nowMs: number): Reading {
  const envelope = readEnvelope(body)
  if (envelope) return readSns(envelope, body, nowMs)
  const records = opened(body['Records'])
  if (Array.isArray(records) && records.length > 0) {
    const readings = records.map((record, i) => readRecord(record, i, nowMs))
    return { alerts: readings.flatMap(({ alerts }) => alerts), jobs: readings.flatMap(({ jobs = [] }) => jobs) }
  }
  const logs = opened(body['awslogs'])
  if (isObject(logs)) {
    const data = logs['data']
    if (typeof data === 'string') return { alerts: [readLogEvents(data, nowMs)] }
    return unreadable(body, 'awslogs.data is not text', nowMs)
  }
  const alarm = readAlarm(body, undefined, nowMs)
  return alarm ? { alerts: [alarm] } : unreadable(body, whyNoAlarm(body), nowMs)
}

const unreadable = (body: unknown, reason: string, nowMs: number): Reading => ({
  alerts: [notUnderstood('CloudWatch', reason, body, nowMs)],
})

function readRecord(record: unknown, index: number, nowMs: number): Reading {
  const inner = isObject(record) ? opened(record['Sns'] ?? record['body']) : undefined
  if (!isObject(inner)) return unreadable(record, `Records.${index}.Sns is not an object`, nowMs)
  const envelope = readEnvelope(inner)
  if (envelope) return readSns(envelope, inner, nowMs)
  const alarm = readAlarm(inner, undefined, nowMs)
  return alarm ? { alerts: [alarm] } : unreadable(record, `Records.${index}.Sns.Type is not one of SNS`, nowMs)
}

function readSns(envelope: SnsMessage, raw: JsonObject, nowMs: number): Reading {
  const topic = envelope.topic ?? 'a topic without a name'
  switch (envelope.type) {
    case 'SubscriptionConfirmation': {
      const url = snsAddress(envelope.subscribeUrl)
      if (!url) return unreadable(raw, 'SubscribeURL is not an address of SNS, so it is not visited', nowMs)
      const told = notice(`Subscription to ${topic}`, 'SNS asks to confirm a subscription', raw, nowMs)
      const payload = { url: url.href, topic, identity: told.identity }
      return {
        alerts: [told],
        jobs: [{ kind: CONFIRM_SUBSCRIPTION, key: told.identity, payload, runAtMs: nowMs }],
      }
    }
    case 'UnsubscribeConfirmation':
      return { alerts: [notice(`Subscription to ${topic}`, 'the subscription was ended at AWS', raw, nowMs)] }
    default:
      return { alerts: [readMessage(envelope, raw, nowMs)] }
  }
}

type Message = Partial<Pick<SnsMessage, 'message' | 'subject' | 'topic' | 'timestampMs' | 'messageId'>>

function readMessage(sns: Message, raw: unknown, nowMs: number): IncomingAlert {
  const inner = alarmIn(sns.message)
  const alarm = inner && readAlarm(inner, regionOf(sns.topic), nowMs)
  if (alarm) return alarm
  if (inner && ('AlarmName' in inner || 'detail' in inner))
    return notUnderstood('CloudWatch', whyNoAlarm(inner), raw, nowMs)
  const said = readPlainText({ subject: sns.subject, body: inner ? '' : (sns.message ?? '') })
  if (said === undefined || !said.telling)
    return notUnderstood('CloudWatch', 'Message is no alarm, and does not say that anything is wrong', raw, nowMs)
  return completeAlert(
    {
      ...said,
      toldAtMs: sns.timestampMs,
      labels: { ...said.labels, topic: sns.topic, region: regionOf(sns.topic) },
      identifiedBy: { name: said.name, topic: sns.topic },
    },
    nowMs,
  )
}

function whyNoAlarm(given: JsonObject): string {
  const state = textOf(given['NewStateValue'])
  if (!('AlarmName' in given))
    return 'it is no message of SNS (Type), no alarm (AlarmName) and no lines of a log (awslogs)'
  return state === undefined
    ? 'NewStateValue is missing'
    : `NewStateValue is "${state}"; known are ALARM, OK and INSUFFICIENT_DATA`
}
