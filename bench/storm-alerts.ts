// A storm of alerts, of which three are real: three services fail, each told of by one critical alert and a crowd of
// symptoms. All else is what fills a night without any fault behind it: information, heartbeats, conditions that had ended
// before anyone was told. Every alert has a number of its own, by which it is looked for afterwards.

export const REAL = ['checkout', 'search', 'billing'] as const

/** The label that numbers the alerts. */
const NUMBER = 'storm_number'

export interface StormBody {
  readonly path: string
  readonly json: unknown
  /** The numbers of the alerts in it. */
  readonly numbers: readonly number[]
}

const BATCH = 20
const HOSTS = 500

/** Bodies of Alertmanager, with single ones of Grafana and Datadog among them. The real alerts come in the second half. */
export function stormBodies(count: number, startMs: number): readonly StormBody[] {
  const bodies: StormBody[] = []
  const critical = REAL.map((_, i) => Math.floor(count * (0.5 + i * 0.2)))
  for (let from = 0; from < count; from += BATCH) {
    const numbers = Array.from({ length: Math.min(BATCH, count - from) }, (_, i) => from + i)
    const [first = 0] = numbers
    const turn = Math.floor(from / BATCH) % 10
    if (turn === 4) bodies.push(...numbers.map(grafana))
    else if (turn === 7) bodies.push(...numbers.map((n) => datadog(n, startMs)))
    else
      bodies.push({
        path: '/v1/alerts/alertmanager',
        json: webhook(
          numbers.map((n) => labelled(n, critical.indexOf(n), startMs)),
          first,
        ),
        numbers,
      })
  }
  // Whatever sender its turn was, what is real has to be told.
  const told = new Set(bodies.filter(({ path }) => path.endsWith('alertmanager')).flatMap(({ numbers }) => numbers))
  for (const [i, n] of critical.entries())
    if (!told.has(n))
      bodies.splice(Math.floor(bodies.length * 0.6), 0, {
        path: '/v1/alerts/alertmanager',
        json: webhook([labelled(count + i, i, startMs)], count + i),
        numbers: [count + i],
      })
  return bodies
}

const webhook = (alerts: readonly unknown[], group: number) => ({
  version: '4',
  groupKey: `{}:{batch="${group}"}`,
  status: 'firing',
  receiver: 'midwatch',
  groupLabels: {},
  alerts,
})

function labelled(n: number, real: number, startMs: number): unknown {
  const host = `node-${n % HOSTS}`
  const firing = { status: 'firing', startsAt: new Date(startMs + n).toISOString(), endsAt: '0001-01-01T00:00:00Z' }
  const number = { [NUMBER]: String(n) }
  if (real >= 0)
    return { ...firing, labels: { alertname: 'ErrorBudgetBurn', severity: 'critical', service: REAL[real], ...number } }
  switch (n % 5) {
    case 0:
    case 1:
      return {
        ...firing,
        labels: { alertname: `Info${n % 40}`, severity: 'info', instance: `${host}:9100`, ...number },
      }
    case 2:
      return { ...firing, labels: { alertname: 'Watchdog', severity: 'none', instance: `${host}:9100`, ...number } }
    case 3:
      return {
        status: 'resolved',
        startsAt: new Date(startMs + n - 60_000).toISOString(),
        endsAt: new Date(startMs + n - 1000).toISOString(),
        labels: { alertname: `DiskSlow${n % 9}`, severity: 'warning', instance: `${host}:9100`, ...number },
      }
    default: {
      const service = REAL[n % REAL.length]
      const labels = { alertname: 'PodNotReady', severity: 'warning', service, pod: `${service}-${n % 200}`, ...number }
      return { ...firing, labels }
    }
  }
}

const grafana = (n: number): StormBody => ({
  path: '/v1/alerts/grafana',
  json: {
    ruleId: n,
    ruleName: `Panel ${n}`,
    state: 'ok',
    title: `[OK] Panel ${n}`,
    tags: { [NUMBER]: String(n) },
    evalMatches: [],
  },
  numbers: [n],
})

const datadog = (n: number, startMs: number): StormBody => ({
  path: '/v1/alerts/datadog',
  json: {
    alert_id: String(n),
    alert_title: `Monitor ${n} informs`,
    alert_transition: 'Triggered',
    alert_type: 'info',
    date: startMs + n,
    tags: `${NUMBER}:${n}`,
  },
  numbers: [n],
})
