// A storm of alerts with no fault behind it: everything that is measured is well. Whatever is opened, no culprit is named.
import { setTimeout as wait } from 'node:timers/promises'
import type { Lab } from '../lab.ts'
import { makeRow } from '../score.ts'
import { waitForDiagnosis, waitForIncident } from '../walk.ts'
import { beginQuiet, comeToRest, count, DIAGNOSIS_MS, INCIDENT_MS, leading, type Round } from './context.ts'

const ALERTS = 60
const SERVICES = ['storefront', 'catalogue', 'cart', 'checkout', 'payment', 'inventory', 'recommendations', 'assistant']
const NAMES = ['HighCpu', 'HighLatency', 'HighErrorRatio', 'DiskAlmostFull', 'PoolWaiting', 'NodeClockSkew']

export const alertStorm: Round = async (context) => {
  const { lab, random, seed, tell, signal } = context
  await beginQuiet(context)
  const sinceMs = Date.now()
  const alerts = Array.from({ length: ALERTS }, (_, i) => ({
    labels: {
      alertname: random.pick(NAMES),
      service: random.pick(SERVICES),
      severity: random.pick(['critical', 'warning']),
      instance: `10.7.0.${i}:9100`,
    },
    startsAt: new Date(sinceMs + i * 50).toISOString(),
  }))
  try {
    await send(lab, 'firing', alerts)
    await waitForIncident(lab.agent, sinceMs, { untilMs: Date.now() + INCIDENT_MS, signal })
    // Whatever else is opened by them is opened soon.
    await wait(15_000, undefined, { signal })
    const opened = await lab.agent.incidentsSince(sinceMs)
    const views = []
    for (const { id } of opened)
      views.push(await waitForDiagnosis(lab.agent, id, { untilMs: Date.now() + DIAGNOSIS_MS, signal }))
    const blamed = views.find((view) => leading(view).named !== null)
    for (const view of views) tell(`   ${view?.sentence ?? 'not diagnosed in time'}`)
    const counts = await count(lab, sinceMs)
    const row = makeRow({
      fault: 'alert-storm',
      seed,
      injected: null,
      ...leading(blamed),
      secondsToDiagnosis: null,
      ...counts,
    })
    return [{ row, found: blamed === undefined, mended: null }]
  } finally {
    await send(lab, 'resolved', alerts)
    if (!signal.aborted) await comeToRest(context)
  }
}

interface Sent {
  readonly labels: Readonly<Record<string, string>>
  readonly startsAt: string
}

/** As Alertmanager posts them. */
async function send(lab: Lab, status: 'firing' | 'resolved', alerts: readonly Sent[]): Promise<void> {
  const endsAt = status === 'resolved' ? new Date().toISOString() : '0001-01-01T00:00:00Z'
  const answer = await fetch(`${lab.midwatch.url}/v1/alerts/alertmanager`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      version: '4',
      groupKey: '{}:{}',
      status,
      receiver: 'midwatch',
      groupLabels: {},
      commonLabels: {},
      commonAnnotations: {},
      externalURL: '',
      alerts: alerts.map((alert) => ({ ...alert, status, endsAt, annotations: {}, generatorURL: '' })),
    }),
  })
  if (answer.status !== 202) throw new Error(`the alerts were answered ${answer.status}: ${await answer.text()}`)
}
