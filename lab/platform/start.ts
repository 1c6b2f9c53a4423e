// Starts the shop and gives the one handle on it. Whatever changes it is carried out first and then reported, in one
// place, so that no change goes untold and none is told that did not happen.
import { join } from 'node:path'
import { AppError } from '../../src/core/errors.ts'
import { newId } from '../../src/core/ids.ts'
import type { Change, ChangeKind } from '../../src/core/telemetry.ts'
import { listen } from '../shop/http-service.ts'
import { createPlatformApi } from './api.ts'
import { createOperationJournal } from './operations.ts'
import { createOutbox } from './outbox.ts'
import { HARMLESS_SETTINGS, MOST_INSTANCES, PLANS } from './plan.ts'
import {
  type Authored,
  type Done,
  FLAGS,
  type FlagName,
  type Platform,
  type PlatformOptions,
  type ServiceName,
} from './platform.ts'
import { createRandom, type Random } from './random.ts'
import { newRelease, someAuthor } from './release-notes.ts'
import { World } from './world.ts'

/** Resolves when every process is ready. Throws `unavailable` with what did not start; nothing is left running then. */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const { midwatchUrl, midwatchKey, log } = options
  const random = createRandom(options.seed)
  const world = new World(options, random)
  const outbox = createOutbox(midwatchUrl === undefined ? undefined : { url: midwatchUrl, key: midwatchKey }, log)
  const journal = createOperationJournal()

  const flagChanges = new Map<string, FlagName>()
  type Told = { at: number; kind: ChangeKind; service: ServiceName; summary: string; from?: string; to?: string }
  /** `at` is when it began: its effect may be felt before it is done. */
  const report = (told: Told, by: Authored = {}): Done => {
    const change: Change = {
      id: newId('chg'),
      author: by.author ?? someAuthor(random),
      ...told,
      summary: by.summary ?? told.summary,
    }
    outbox.add(change)
    return { changeId: change.id }
  }

  const deploy: Platform['deploy'] = async (service, release, by) => {
    const at = Date.now()
    const fleet = world.fleet(service)
    const from = fleet.revision.release.hash
    await fleet.rollOut((present) => ({ ...present, release }))
    const summary = `Deploy ${service} ${release.hash}: ${release.note}`
    return report({ at, kind: 'deploy', service, summary, from, to: release.hash }, by)
  }

  const configure: Platform['configure'] = async (service, key, value, by) => {
    const at = Date.now()
    const fleet = world.fleet(service)
    const from = fleet.revision.configRevision
    const now = await fleet.rollOut((present) => ({
      ...present,
      configRevision: nextRevision(present.configRevision),
      config: { ...present.config, [key]: value },
    }))
    const summary = `Configure ${service} ${now.configRevision}: ${key}`
    return report({ at, kind: 'config', service, summary, from, to: now.configRevision }, by)
  }

  const setFlag: Platform['setFlag'] = async (flag, to, by) => {
    const at = Date.now()
    const from = world.flags[flag]
    world.setFlag(flag, to)
    const summary = `Set flag ${flag} to ${to}`
    const done = report({ at, kind: 'flag', service: FLAGS[flag].service, summary, from, to }, by)
    flagChanges.set(done.changeId, flag)
    return done
  }

  const restart: Platform['restart'] = async (service, by) => {
    const at = Date.now()
    await world.fleet(service).restart()
    return report({ at, kind: 'restart', service, summary: `Restart ${service}` }, by)
  }

  const scaleBy = async (service: ServiceName, count: (present: number) => number, by?: Authored): Promise<Done> => {
    const at = Date.now()
    if (PLANS[service].rollout === 'recreate')
      throw new AppError('conflict', `${service} owns its data and runs once: it cannot be scaled.`)
    const { from, to } = await world.fleet(service).scale((present) => {
      const wanted = count(present)
      if (wanted < 1 || wanted > MOST_INSTANCES)
        throw new AppError('conflict', `${service} can run 1 to ${MOST_INSTANCES} instances, not ${wanted}.`)
      return wanted
    })
    const summary = `Scale ${service} from ${from} to ${to}`
    return report({ at, kind: 'scale', service, summary, from: String(from), to: String(to) }, by)
  }

  const rollBack: Platform['rollBack'] = async (service, to, by) => {
    const at = Date.now()
    const { from, now } = await world.fleet(service).rollBack(to)
    const isDeploy = from.release.hash !== now.release.hash
    const [before, after] = isDeploy ? [from.release.hash, now.release.hash] : [from.configRevision, now.configRevision]
    const summary = `Roll ${service} back from ${before} to ${after}`
    return report({ at, kind: isDeploy ? 'deploy' : 'config', service, summary, from: before, to: after }, by)
  }

  const takeBack: Platform['takeBack'] = async (service, changeId, by) => {
    const change = outbox.all().find(({ id }) => id === changeId)
    if (!change || change.service !== service)
      throw new AppError('not_found', `${service} knows of no change ${changeId}.`)
    const { kind, from } = change
    if ((kind === 'deploy' || kind === 'config') && from !== undefined) return rollBack(service, from, by)
    const flag = flagChanges.get(changeId)
    if (flag && (from === 'on' || from === 'off')) return setFlag(flag, from, by)
    throw new AppError('conflict', `A ${kind} of ${service} cannot be taken back.`)
  }

  const harmlessDeploy = async (chance: Random): Promise<Done & { service: ServiceName }> => {
    const settings = Object.entries(HARMLESS_SETTINGS) as [ServiceName, readonly [string, readonly string[]]][]
    if (chance.next() < 0.3) {
      const [service, [key, values]] = chance.pick(settings)
      return { service, ...(await configure(service, key, chance.pick(values))) }
    }
    const services = [...world.fleets.keys()].filter((service) => PLANS[service].rollout === 'rolling')
    const service = chance.pick(services)
    // What the present release does stays as it is: a red herring mends nothing either.
    const release = newRelease(chance, world.fleet(service).revision.release.behaviour)
    return { service, ...(await deploy(service, release)) }
  }

  const api = createPlatformApi({ rollBack, takeBack, restart, scaleBy, setFlag }, journal)
  const stop = async () => {
    api.close()
    api.closeAllConnections()
    await Promise.all([outbox.stop(), world.end()])
  }
  let port: number
  try {
    port = await listen(api, 0)
    await world.start()
  } catch (error) {
    await stop()
    throw error
  }

  return {
    url: `http://127.0.0.1:${port}`,
    get shopUrl() {
      return world.endpoints()['storefront']?.[0] ?? ''
    },
    modelProviderUrl: `http://127.0.0.1:${world.modelProvider.ports['model-provider']}/v1`,
    targetFile: world.targetFile,
    logsDir: world.logsDir,
    load: options.load ?? 1,
    deploy,
    configure,
    setFlag,
    restart,
    scale: (service, instances, by) => scaleBy(service, () => instances, by),
    rollBack,
    takeBack,
    harmlessDeploy,
    trouble: (target, trouble) => {
      if (target === 'acquirer') return world.acquirer.trouble(trouble)
      if (target === 'model-provider') return world.modelProvider.trouble(trouble)
      return world.fleet(target).trouble(trouble)
    },
    surge: (factor) => world.surge(factor),
    loadStats: () => world.loadStats,
    expireToken: () => world.issueToken(),
    revision: (service) => world.fleet(service).revision,
    flag: (flag) => world.flags[flag],
    instances: (service) => world.fleet(service).views(),
    volumeDir: (service) => world.fleet(service).placement?.volume?.dir,
    scratchDir: (service) => world.fleet(service).placement?.scratchDir ?? join(options.workDir, 'scratch', service),
    operations: () => journal.all(),
    changes: () => outbox.all(),
    unreportedChanges: () => outbox.unsent(),
    stop,
  }
}

const nextRevision = (revision: string): string => `r${Number(revision.slice(1)) + 1}`
