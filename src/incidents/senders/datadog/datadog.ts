// Datadog's webhook, whose body is whatever its user's template makes of the documented variables: read by the names of
// the variables, in any capitalisation, nested or flat, and by those of the default template.
// https://docs.datadoghq.com/integrations/webhooks/
import { completeAlert, notUnderstood } from '../../incoming-alert.ts'
import { parseAnyTime } from '../../alert-times.ts'
import { isObject, opened, tagsOf, textOf } from '../loose.ts'
import type { JsonObject, ReadContext, Reading, Sender } from '../sender.ts'
import { hostOfTitle, severityOf, statusOf, titleOf } from './say.ts'

export const datadog: Sender = {
  name: 'datadog',
  title: 'Datadog',
  recognises: (body) => {
    const said = variables(body)
    return (
      said.has('alerttransition') ||
      said.has('alertcyclekey') ||
      said.has('aggregkey') ||
      (said.has('eventtype') && said.has('lastupdated')) ||
      (said.has('monitorid') && said.has('query'))
    )
  },
  read: (body, context) => ({ alerts: [readEvent(body, context)] }),
}

/** What the body says, by the bare name of the variable: `ALERT_TITLE`, `alertTitle` and `alert: {title}` are one. */
function variables(body: JsonObject): ReadonlyMap<string, unknown> {
  const said = new Map<string, unknown>()
  const put = (name: string, value: unknown): void => {
    const bare = name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
    // A variable that does not apply stays in the text as it was written, or becomes nothing.
    if (typeof value === 'string' && /^\s*(?:\$[A-Z_]+(?:\[[^\]]*\])?)?\s*$/.test(value)) return
    if (value !== null && value !== undefined && !said.has(bare)) said.set(bare, value)
  }
  for (const [name, value] of Object.entries(body)) put(name, value)
  for (const [name, value] of Object.entries(body)) {
    const inner = opened(value)
    if (isObject(inner)) for (const [each, deep] of Object.entries(inner)) put(`${name} ${each}`, deep)
  }
  return said
}

function readEvent(body: JsonObject, { nowMs }: ReadContext): Reading['alerts'][number] {
  const said = variables(body)
  const get = (...names: readonly string[]): string | undefined => {
    for (const name of names) {
      const text = textOf(said.get(name))
      if (text !== undefined) return text
    }
    return undefined
  }
  const heading = get('eventtitle', 'title', 'alerttitle', 'monitorname', 'alertname', 'name')
  const name = get('alerttitle', 'monitorname') ?? heading
  if (heading === undefined || name === undefined) {
    const reason = 'it has no title: put $EVENT_TITLE or $ALERT_TITLE into the template of the webhook'
    return notUnderstood('Datadog', reason, body, nowMs)
  }
  const tags = tagsOf(said.get('tags'))
  const scope = get('alertscope', 'scope') ?? listed(said.get('scopes'))
  const scoped = tagsOf(scope?.replaceAll(/\band\b/g, ','))
  const host = get('hostname', 'host') ?? scoped['host'] ?? tags['host'] ?? hostOfTitle(heading)
  const monitor = get('alertid', 'monitorid')
  const about = {
    heading,
    transition: get('alerttransition', 'transition', 'alertstatus', 'status', 'state'),
    type: get('alerttype', 'type', 'eventtype'),
    priority: get('alertpriority', 'monitorpriority', 'priority'),
    severity: get('severity'),
  }
  const { severity: _, ...described } = { ...scoped, ...tags }
  const plain = titleOf(name)
  const toldAtMs = ['dateposix', 'date', 'lastupdated', 'timestamp']
    .map((each) => parseAnyTime(said.get(each)))
    .find((ms) => ms !== undefined)
  return completeAlert(
    {
      name: plain,
      service: get('service') ?? tags['service'] ?? scoped['service'],
      severity: severityOf(about) ?? tags['severity'],
      status: statusOf(about),
      toldAtMs,
      labels: { ...described, host, metric: get('alertmetric', 'metric') },
      // The monitor and what of it: one monitor alerts for each of its groups.
      identifiedBy:
        monitor === undefined
          ? { key: get('aggregkey'), name: plain, scope: scope ?? host, org: get('orgid') }
          : { monitor, scope: scope ?? host, org: get('orgid') },
      annotations: {
        summary: get('textonlymsg', 'eventmsg', 'body', 'message', 'msg', 'description', 'text'),
        transition: about.transition,
        query: get('alertquery', 'query'),
        snapshot: get('snapshot'),
        logs: get('logssample'),
      },
      urls: [get('link', 'url', 'alerturl', 'eventlink', 'monitorurl'), get('snapshot')],
    },
    nowMs,
  )
}

function listed(value: unknown): string | undefined {
  const items = opened(value)
  if (!Array.isArray(items)) return textOf(items)
  const texts = items.map(textOf).filter((item) => item !== undefined)
  return texts.length === 0 ? undefined : texts.join(',')
}
