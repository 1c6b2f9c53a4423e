// The lab as one thing: the shop and its load, something that raises alerts, and Midwatch as a process of its own that
// looks at them. What was broken is written down where Midwatch does not look.
import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createLog } from '../src/observe/log.ts'
import { type AgentClient, createAgentClient } from './agent-client.ts'
import { type EmbeddedAlerter, startEmbeddedAlerter } from './alerting/embedded.ts'
import { type RunningPrometheus, startPrometheus } from './alerting/prometheus.ts'
import { SCRAPE_SECONDS } from './alerting/timing.ts'
import { actionCatalogue } from './catalogue.ts'
import { freePort, refuseTakenPort } from './child.ts'
import { type Fault, type GroundTruth, injectFault } from './faults/fault.ts'
import { type Midwatch, prepareMidwatch } from './midwatch.ts'
import type { Platform } from './platform/platform.ts'
import type { Random } from './platform/random.ts'
import { startPlatform } from './platform/start.ts'

export interface LabOptions {
  /** Made when missing. Everything that the lab writes is in it. */
  readonly workDir: string
  readonly seed: number
  /** Multiplies the traffic; 1 is normal. */
  readonly load?: number
  /** Run the real Prometheus and Alertmanager instead of the embedded alerter. */
  readonly prometheus?: boolean
  /** Midwatch's; any free one when not given. */
  readonly port?: number
  /** Whether Midwatch itself is among what is watched; true when not given. */
  readonly watchMidwatch?: boolean
  /** Told as things come up: "the shop", "Midwatch" … */
  readonly onProgress?: (what: string) => void
  /** A process of the lab ended although nobody asked it to. */
  readonly onUnexpectedEnd?: (message: string) => void
}

type Alerting =
  | ({ readonly kind: 'embedded' } & EmbeddedAlerter)
  | ({ readonly kind: 'prometheus' } & RunningPrometheus)

export interface Lab {
  readonly pageUrl: string
  readonly workDir: string
  readonly platform: Platform
  readonly midwatch: Midwatch
  /** Incidents and decisions, as a user has them. */
  readonly agent: AgentClient
  readonly alerting: Alerting
  /** Breaks something, and writes down what. */
  inject(fault: Fault, random: Random): Promise<GroundTruth>
  /** Stops everything, the last started first. */
  stop(): Promise<void>
}

/** Throws AppError `unavailable` with what did not start and the end of its log; nothing is left running then. */
export async function startLab(options: LabOptions): Promise<Lab> {
  const { workDir } = options
  const progress = options.onProgress ?? (() => undefined)
  const onUnexpectedEnd = options.onUnexpectedEnd ?? (() => undefined)
  mkdirSync(workDir, { recursive: true })
  const port = options.port ?? (await freePort())
  await refuseTakenPort(port)
  const midwatchUrl = `http://127.0.0.1:${port}`
  const webhookUrl = `${midwatchUrl}/v1/alerts/alertmanager`

  const stops: (() => Promise<void>)[] = []
  const stop = async () => {
    for (let end = stops.pop(); end; end = stops.pop()) await end()
  }
  try {
    progress('the shop')
    const platform = await startPlatform({
      workDir: join(workDir, 'shop'),
      midwatchUrl,
      seed: options.seed,
      load: options.load ?? 1,
      log: createLog({ level: 'silent' }),
      extraTargets: (options.watchMidwatch ?? true) ? [{ service: 'midwatch', target: `127.0.0.1:${port}` }] : [],
    })
    stops.push(() => platform.stop())

    progress('Midwatch')
    const watched = { workDir, targetFile: platform.targetFile, webhookUrl, onUnexpectedEnd }
    const prometheusPort = options.prometheus ? await freePort() : undefined
    const midwatch = prepareMidwatch({
      ...watched,
      port,
      modelProviderUrl: platform.modelProviderUrl,
      logsDir: platform.logsDir,
      prometheusUrl: prometheusPort === undefined ? undefined : `http://127.0.0.1:${prometheusPort}`,
      scrapeSeconds: SCRAPE_SECONDS,
      actions: actionCatalogue(platform.url),
    })
    stops.push(() => midwatch.stop())
    await midwatch.start()

    // Last, for Midwatch is among what is watched: until it is up it would be found down.
    progress('the alerting')
    const alerting: Alerting =
      prometheusPort === undefined
        ? { kind: 'embedded', ...(await startEmbeddedAlerter(watched)) }
        : {
            kind: 'prometheus',
            ...(await startPrometheus({ ...watched, port: prometheusPort, scrapeSeconds: SCRAPE_SECONDS })),
          }
    stops.push(() => alerting.stop())

    const truthFile = join(workDir, 'truth.jsonl')
    return {
      pageUrl: midwatchUrl,
      workDir,
      platform,
      midwatch,
      agent: createAgentClient(midwatchUrl),
      alerting,
      inject: async (fault, random) => {
        const truth = await injectFault(fault, platform, random)
        appendFileSync(truthFile, `${JSON.stringify(truth)}\n`)
        return truth
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
