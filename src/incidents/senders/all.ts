// Every sender that is understood, by the last part of its address; and the one whose shape a body has.
import type { IncomingHttpHeaders } from 'node:http'
import type { IntakeConfig } from '../../config/intake-schema.ts'
import { azure } from './azure/azure.ts'
import { elastic } from './elastic/elastic.ts'
import { email } from './email/email.ts'
import { graylog } from './graylog/graylog.ts'
import { newrelic } from './newrelic/newrelic.ts'
import { opsgenie } from './opsgenie/opsgenie.ts'
import { pingdom } from './pingdom/pingdom.ts'
import { riemann } from './riemann/riemann.ts'
import { slack } from './slack/slack.ts'
import { stackdriver } from './stackdriver/stackdriver.ts'
import { vrealize } from './vrealize/vrealize.ts'
import { alertmanager } from './alertmanager/alertmanager.ts'
import { cloudwatch } from './cloudwatch/cloudwatch.ts'
import { datadog } from './datadog/datadog.ts'
import { generic } from './generic/generic.ts'
import { grafana } from './grafana/grafana.ts'
import { mappedSender } from './mapping/mapping.ts'
import { pagerduty } from './pagerduty/pagerduty.ts'
import type { JsonObject, Sender } from './sender.ts'
import { sentry } from './sentry/sentry.ts'

/** In the order in which a body of no particular address is compared with them: what is most its own shape first. */
const SENDERS: readonly Sender[] = [
  cloudwatch,
  pagerduty,
  sentry,
  opsgenie,
  azure,
  stackdriver,
  elastic,
  newrelic,
  pingdom,
  vrealize,
  graylog,
  grafana,
  alertmanager,
  datadog,
  slack,
  email,
  riemann,
  generic,
]

export interface Senders {
  readonly names: readonly string[]
  find(name: string): Sender | undefined
  /** The one whose shape it has; the generic one where it has nobody's. */
  recognise(body: JsonObject, headers: IncomingHttpHeaders): Sender
}

/** Those of ours and those of the config; a mapping of the config takes the place of ours of the same name. */
export function createSenders(config: Pick<IntakeConfig, 'generic' | 'senders'>): Senders {
  const byName = new Map<string, Sender>()
  for (const sender of SENDERS) for (const name of [sender.name, ...(sender.aliases ?? [])]) byName.set(name, sender)
  const mappings = { ...config.senders, ...(config.generic ? { generic: config.generic } : {}) }
  for (const [name, mapping] of Object.entries(mappings)) {
    // The shape is the sender's; how it is read is the user's.
    const replaced = SENDERS.find((sender) => sender.name === name)
    const recognises: Sender['recognises'] = (body, headers) => replaced?.recognises(body, headers) ?? false
    byName.set(name, mappedSender({ name, title: name, mapping, recognises }))
  }
  const inOrder = SENDERS.map((sender) => byName.get(sender.name) ?? sender)
  const fallback = byName.get('generic') ?? generic
  return {
    names: [...new Set([...byName.values()].map(({ name }) => name))].sort(),
    find: (name) => byName.get(name) ?? byName.get(name.toLowerCase()),
    recognise: (body, headers) => inOrder.find((sender) => sender.recognises(body, headers)) ?? fallback,
  }
}
