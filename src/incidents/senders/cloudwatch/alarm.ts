// One state of a CloudWatch alarm, in each of the three forms in which AWS tells it: the message of a topic, the event of
// EventBridge, and what a Lambda function is called with. The words differ; the alarm is the same.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
import { z } from 'zod'
import { completeAlert, type IncomingAlert } from '../../incoming-alert.ts'
import { anything, isObject, opened, part, parts, text, textOf, time } from '../loose.ts'
import { readMarks, wordIn } from '../words.ts'
import type { JsonObject } from '../sender.ts'

const dimensions = parts({ name: text, value: text })
const stat = part({ Metric: part({ Dimensions: dimensions, MetricName: text, Namespace: text }) })

const messageShape = z.object({
  AlarmName: text,
  AlarmDescription: text,
  AlarmArn: text,
  AlarmRule: text,
  AWSAccountId: text,
  NewStateValue: text,
  NewStateReason: text,
  OldStateValue: text,
  StateChangeTime: time,
  Region: text,
  Trigger: part({
    MetricName: text,
    Namespace: text,
    Dimensions: dimensions,
    Threshold: text,
    ComparisonOperator: text,
    Metrics: parts({ Expression: text, Label: text, MetricStat: stat }),
  }),
})

const state = part({ value: text, reason: text, timestamp: time })
const eventMetric = part({ name: text, namespace: text, dimensions: anything })
const alarmDataShape = {
  alarmName: text,
  state,
  previousState: state,
  configuration: part({
    description: text,
    alarmRule: text,
    metrics: parts({ expression: text, metricStat: part({ metric: eventMetric }) }),
  }),
}
const eventShape = z.object({
  account: text,
  accountId: text,
  region: text,
  time,
  alarmArn: text,
  resources: anything,
  detail: part(alarmDataShape),
  alarmData: part(alarmDataShape),
})

interface Alarm {
  readonly name: string
  readonly state: string
  readonly arn: string | undefined
  readonly account: string | undefined
  readonly region: string | undefined
  readonly description: string | undefined
  readonly reason: string | undefined
  readonly before: string | undefined
  readonly changedAtMs: number | undefined
  readonly rule: string | undefined
  readonly metric: string | undefined
  readonly namespace: string | undefined
  readonly dimensions: readonly (readonly [string, string])[]
}

/** The alarm that an object tells of, or undefined where it tells of none. `topicRegion`: where the topic is that brought it. */
export function readAlarm(
  given: JsonObject,
  topicRegion: string | undefined,
  nowMs: number,
): IncomingAlert | undefined {
  const alarm = 'AlarmName' in given ? ofMessage(given, topicRegion) : ofEvent(given)
  const status = wordIn(STATES, alarm?.state)
  return alarm && status ? toAlert(alarm, status, nowMs) : undefined
}

/** Of an alarm that lost its data nobody knows that it ended. */
const STATES: Readonly<Record<string, 'firing' | 'resolved'>> = {
  ALARM: 'firing',
  INSUFFICIENT_DATA: 'firing',
  OK: 'resolved',
}

function ofMessage(given: JsonObject, topicRegion: string | undefined): Alarm | undefined {
  const said = messageShape.parse(given)
  if (said.AlarmName === undefined || said.NewStateValue === undefined) return undefined
  const { Trigger: trigger } = said
  const metric = trigger.Metrics.map(({ MetricStat }) => MetricStat.Metric).find(({ MetricName }) => MetricName)
  return {
    name: said.AlarmName,
    state: said.NewStateValue.toUpperCase(),
    arn: said.AlarmArn,
    account: said.AWSAccountId,
    // `Region` is a name for people ("EU (Ireland)"); the addresses have the one for programs.
    region: regionOf(said.AlarmArn) ?? topicRegion ?? said.Region,
    description: said.AlarmDescription,
    reason: said.NewStateReason,
    before: said.OldStateValue,
    changedAtMs: said.StateChangeTime,
    rule: said.AlarmRule,
    metric: trigger.MetricName ?? metric?.MetricName,
    namespace: trigger.Namespace ?? metric?.Namespace,
    dimensions: pairsOf(trigger.Dimensions.length > 0 ? trigger.Dimensions : (metric?.Dimensions ?? [])),
  }
}

function ofEvent(given: JsonObject): Alarm | undefined {
  const said = eventShape.parse(given)
  const alarm = said.detail.alarmName === undefined ? said.alarmData : said.detail
  if (alarm.alarmName === undefined || alarm.state.value === undefined) return undefined
  const metric = alarm.configuration.metrics.map(({ metricStat }) => metricStat.metric).find(({ name }) => name)
  const named = isObject(metric?.dimensions) ? Object.entries(metric.dimensions) : []
  const resources: readonly unknown[] = Array.isArray(said.resources) ? said.resources : []
  return {
    name: alarm.alarmName,
    state: alarm.state.value.toUpperCase(),
    arn: said.alarmArn ?? resources.map(textOf).find((arn) => arn?.includes(':alarm:')),
    account: said.account ?? said.accountId,
    region: said.region,
    description: alarm.configuration.description,
    reason: alarm.state.reason,
    before: alarm.previousState.value,
    changedAtMs: alarm.state.timestamp ?? said.time,
    rule: alarm.configuration.alarmRule,
    metric: metric?.name,
    namespace: metric?.namespace,
    dimensions: pairsOf(named.map(([name, value]) => ({ name, value: textOf(value) }))),
  }
}

const pairsOf = (all: readonly { name: string | undefined; value: string | undefined }[]) =>
  all.flatMap(({ name, value }) => (name !== undefined && value !== undefined ? [[name, value] as const] : []))

/** Dimensions that name the thing that serves, the nearest to what people call a service first. */
const SERVICE_DIMENSIONS = [
  'Service',
  'ServiceName',
  'service',
  'FunctionName',
  'ApiName',
  'LoadBalancer',
  'DBInstanceIdentifier',
  'DBClusterIdentifier',
  'CacheClusterId',
  'TableName',
  'QueueName',
  'StreamName',
  'BucketName',
  'TopicName',
  'ClusterName',
  'AutoScalingGroupName',
] as const

function toAlert(alarm: Alarm, status: 'firing' | 'resolved', nowMs: number): IncomingAlert {
  const dimensionValue = new Map(alarm.dimensions)
  const service = SERVICE_DIMENSIONS.map((name) => dimensionValue.get(name)).find((value) => value !== undefined)
  const marks = readMarks(alarm.name)
  return completeAlert(
    {
      name: alarm.name,
      service,
      // CloudWatch has no severities: an alarm is what its makers want to hear of, and lost data is less.
      severity: marks.severity ?? (alarm.state === 'INSUFFICIENT_DATA' ? 'warning' : 'error'),
      status,
      toldAtMs: alarm.changedAtMs,
      labels: {
        ...Object.fromEntries(alarm.dimensions),
        host: dimensionValue.get('InstanceId') ?? dimensionValue.get('HostName') ?? dimensionValue.get('host'),
        namespace: alarm.namespace,
        metric: alarm.metric,
        region: alarm.region,
        account: alarm.account,
      },
      identifiedBy: { alarm: alarm.arn ?? alarm.name, account: alarm.account, region: alarm.region },
      annotations: {
        summary: alarm.description,
        reason: alarm.reason,
        state: alarm.state,
        before: alarm.before,
        rule: alarm.rule,
      },
      urls: [consoleLink(alarm)],
    },
    nowMs,
  )
}

const consoleLink = ({ region, name }: Alarm): string | undefined =>
  region !== undefined && REGION.test(region)
    ? `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}#alarmsV2:alarm/${encodeURIComponent(name.toWellFormed())}`
    : undefined

const REGION = /^[a-z]{2}(?:-[a-z]+)+-\d$/

/** `arn:aws:sns:eu-west-1:…` → `eu-west-1`. */
export const regionOf = (arn: string | undefined): string | undefined => {
  const region = arn?.split(':')[3]
  return region !== undefined && REGION.test(region) ? region : undefined
}

/** Whether a text is the JSON of an alarm's message. */
export const alarmIn = (message: string | undefined): JsonObject | undefined => {
  const inner = opened(message)
  return isObject(inner) ? inner : undefined
}
