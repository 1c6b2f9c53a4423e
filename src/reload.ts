// A changed config file takes effect without a restart where it can. Here what that means for the parts of Midwatch, and
// what people are told of it: a wrong file is logged with all that is wrong, counted, and changes nothing.
import { Counter, Gauge } from 'prom-client'
import { type ConfigState, LiveConfig, type LiveConfigOptions, type ReloadResult } from './config/live.ts'
import type { Gateway } from './gateway/gateway.ts'
import type { Log } from './observe/log.ts'
import type { Metrics } from './observe/metrics.ts'

export interface ReloadOptions extends Pick<LiveConfigOptions, 'file' | 'config' | 'read' | 'clock'> {
  readonly gateway: Gateway
  readonly metrics: Metrics
  readonly log: Log
}

/** Follows the file once `watch` is called. */
export function createLiveConfig({ gateway, metrics, log, ...options }: ReloadOptions): LiveConfig {
  const count = reloadMetrics(metrics, () => live.state)
  const live: LiveConfig = new LiveConfig({
    ...options,
    apply: (config) => gateway.reload(config),
    onResult: (result) => {
      count(result)
      tell(log, options.file, result)
    },
  })
  return live
}

function tell(log: Log, file: string | null, result: ReloadResult): void {
  if (result.kind === 'refused') {
    log.error({ config: file, problems: result.problems }, 'the config file is wrong: nothing of it is taken')
    return
  }
  const { changed, needRestart } = result
  log.info({ config: file, changed }, 'the config was read again')
  if (needRestart.length > 0)
    log.warn(
      { config: file, keys: needRestart },
      'these changes of the config need a restart; until then the old values hold',
    )
}

/** The last two as Prometheus names its own. */
function reloadMetrics(registry: Metrics, state: () => ConfigState): (result: ReloadResult) => void {
  const registers = [registry]
  const reloads = new Counter({
    name: 'midwatch_config_reloads_total',
    help: 'Readings of a changed config file: taken, or refused because it was wrong.',
    labelNames: ['result'],
    registers,
  })
  for (const result of ['taken', 'refused'] as const) reloads.inc({ result }, 0)
  const successful = new Gauge({
    name: 'midwatch_config_last_reload_successful',
    help: '1 while the config file as it stands holds, 0 since it was refused.',
    registers,
    collect: () => {
      successful.set(state().refused ? 0 : 1)
    },
  })
  const since = new Gauge({
    name: 'midwatch_config_last_reload_success_timestamp_seconds',
    help: 'When what holds now was read.',
    registers,
    collect: () => {
      since.set(state().loadedAt / 1000)
    },
  })
  return ({ kind }) => reloads.inc({ result: kind })
}
