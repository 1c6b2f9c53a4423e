// The embedded alerter's process: Prometheus and Alertmanager in one small program, for machines that have neither. It
// sees what any monitoring sees, the targets' metrics, and knows nothing of what the lab has broken.
import { appendFileSync, readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { systemClock } from '../../src/core/clock.ts'
import { createLog } from '../../src/observe/log.ts'
import { createScraper } from '../../src/sources/scraper/scraper.ts'
import { type Delivery, postTo } from './deliver.ts'
import type { Notification } from './grouping.ts'
import { type AcknowledgedAlert, type AlerterConfig, alerterConfig } from './journal.ts'
import { createPipeline } from './pipeline.ts'
import { ALERT_RULES, RATE_WINDOW_SECONDS } from './rules.ts'
import { GROUPING, SCRAPE_SECONDS } from './timing.ts'

const log = createLog({ level: 'info' })

async function run(config: AlerterConfig): Promise<void> {
  const stopping = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort())
  const scraper = createScraper({
    targetFiles: [config.targetFile],
    targets: [],
    intervalSeconds: SCRAPE_SECONDS,
    retentionSeconds: 8 * RATE_WINDOW_SECONDS,
    dataDir: null,
    clock: systemClock,
    log,
  })
  const pipeline = createPipeline({
    source: scraper,
    rules: ALERT_RULES,
    grouping: GROUPING,
    post: postTo(config.webhookUrl),
    clock: systemClock,
    onDelivery: (notification, delivery) => record(config.journal, notification, delivery),
    onProblem: (problem) => log.warn(problem),
  })
  scraper.start()
  const parent = process.ppid
  // A parent that was killed cannot say stop: this process must not go on for ever.
  while (!stopping.signal.aborted && process.ppid === parent) {
    const startedMs = Date.now()
    await pipeline.tick(stopping.signal)
    const restMs = Math.max(50, SCRAPE_SECONDS * 1000 - (Date.now() - startedMs))
    await wait(restMs, undefined, { signal: stopping.signal }).catch(() => undefined)
  }
  stopping.abort()
  await pipeline.settled()
  await scraper.stop()
}

function record(journal: string, { groupKey, alerts, news }: Notification, delivery: Delivery): void {
  if (delivery.kind === 'failed') {
    log.warn({ groupKey, reason: delivery.reason, attempts: delivery.attempts }, 'a notification was not taken')
    return
  }
  log.info({ groupKey, alerts: alerts.length, news, attempts: delivery.attempts }, 'notified')
  const at = Date.now()
  const lines = alerts.map(({ labels, fingerprint, startsAtMs, endsAtMs }) => {
    const alert: AcknowledgedAlert = {
      at,
      name: labels['alertname'] ?? '',
      service: labels['service'] ?? '',
      fingerprint,
      startsAtMs,
      status: endsAtMs === null ? 'firing' : 'resolved',
    }
    return `${JSON.stringify(alert)}\n`
  })
  appendFileSync(journal, lines.join(''))
}

await run(alerterConfig.parse(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'))))
