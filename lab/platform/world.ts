// All processes of the lab and what they are told: who is where, which flags are on, which token is good. Whenever
// something moves, every process learns of it and the target file is written anew.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadStats, type LoadStats, NO_LOAD } from '../load/tally.ts'
import { createShopLog } from '../shop/json-log.ts'
import type { Endpoints, Flags, FromProcess, StartMessage, ToProcess, Trouble } from '../shop/messages.ts'
import { Instance } from './instance.ts'
import { MEMORY_LIMIT_BYTES, PLANS } from './plan.ts'
import { FLAGS, type FlagName, type PlatformOptions, type Revision, SERVICES, type ServiceName } from './platform.ts'
import type { Random } from './random.ts'
import { newRelease } from './release-notes.ts'
import { type Placement, ServiceFleet } from './service-fleet.ts'
import { writeTargetFile } from './target-file.ts'

const SERVICE_ENTRY = new URL('../shop/process.ts', import.meta.url)
const ACQUIRER_ENTRY = new URL('../shop/outside/acquirer.ts', import.meta.url)
const MODEL_ENTRY = new URL('../model/provider.ts', import.meta.url)
const LOAD_ENTRY = new URL('../load/generator.ts', import.meta.url)

const TOKEN_LASTS_MS = 24 * 3600 * 1000

export class World {
  readonly logsDir: string
  readonly targetFile: string
  readonly acquirer: Instance
  readonly modelProvider: Instance
  readonly fleets: ReadonlyMap<ServiceName, ServiceFleet>
  readonly #options: PlatformOptions
  readonly #random: Random
  readonly #load: Instance | undefined
  readonly #flags: Record<FlagName, 'on' | 'off'>
  #loadStats: LoadStats = NO_LOAD
  #token: Trouble | undefined

  constructor(options: PlatformOptions, random: Random) {
    this.#options = options
    this.#random = random
    const { workDir } = options
    this.logsDir = join(workDir, 'logs')
    this.targetFile = join(workDir, 'targets.json')
    for (const dir of [this.logsDir, join(workDir, 'secrets'), join(workDir, 'scratch'), join(workDir, 'volumes')])
      mkdirSync(dir, { recursive: true })
    this.#flags = Object.fromEntries(Object.entries(FLAGS).map(([flag, { initially }]) => [flag, initially])) as Record<
      FlagName,
      'on' | 'off'
    >
    this.acquirer = this.#outside('acquirer', ACQUIRER_ENTRY)
    this.modelProvider = this.#outside('model-provider', MODEL_ENTRY)
    this.fleets = new Map(SERVICES.map((service) => [service, this.#fleet(service)]))
    const load = options.load ?? 1
    this.#load = load > 0 ? this.#outside('load', LOAD_ENTRY, { load: String(load) }) : undefined
  }

  async start(): Promise<void> {
    this.#writeSecrets('assistant', { gatewayKey: this.#options.assistantKey })
    await Promise.all([this.acquirer.start(), this.modelProvider.start()])
    await this.issueToken()
    await Promise.all((['shop-db', 'orders-queue'] as const).map((service) => this.fleet(service).start()))
    const others = SERVICES.filter((service) => service !== 'shop-db' && service !== 'orders-queue')
    await Promise.all(others.map((service) => this.fleet(service).start()))
    await this.#load?.start()
  }

  async end(): Promise<void> {
    await this.#load?.end()
    const fleets = [...this.fleets.values()].map((fleet) => fleet.end())
    await Promise.all([...fleets, this.acquirer.end(), this.modelProvider.end()])
  }

  fleet(service: ServiceName): ServiceFleet {
    const fleet = this.fleets.get(service)
    if (!fleet) throw new Error(`there is no service called ${service}`)
    return fleet
  }

  get flags(): Readonly<Record<FlagName, 'on' | 'off'>> {
    return this.#flags
  }
  setFlag(flag: FlagName, to: 'on' | 'off'): void {
    this.#flags[flag] = to
    this.#tellAll({ type: 'flags', flags: this.#flags })
  }

  /** A new token for payment, read at its next start; those before run out now. */
  async issueToken(): Promise<void> {
    const token = `tok_${this.#random.hex(24)}`
    this.#token = { kind: 'token', token, expiresAtMs: Date.now() + TOKEN_LASTS_MS }
    this.#writeSecrets('payment', { acquirerToken: token })
    await this.acquirer.trouble(this.#token)
  }

  surge(factor: number): void {
    this.#load?.send({ type: 'surge', factor })
  }
  get loadStats(): LoadStats {
    return this.#loadStats
  }

  endpoints(): Endpoints {
    const endpoints: Record<string, string[]> = {}
    const add = (instance: Instance) => {
      for (const [name, port] of Object.entries(instance.ports))
        (endpoints[name] ??= []).push(`http://127.0.0.1:${port}`)
    }
    add(this.acquirer)
    add(this.modelProvider)
    for (const fleet of this.fleets.values()) fleet.instances().forEach(add)
    if (this.#options.midwatchUrl !== undefined) endpoints['midwatch'] = [this.#options.midwatchUrl]
    return endpoints
  }

  readonly #publish = (): void => {
    // Instances report while the world is still being put together.
    if (!this.fleets) return
    this.#tellAll({ type: 'endpoints', endpoints: this.endpoints() })
    const targets = [...this.fleets.values()].flatMap((fleet) =>
      fleet.instances().flatMap((instance) => {
        const port = instance.ports[fleet.service]
        return port === undefined ? [] : [{ service: fleet.service, target: `127.0.0.1:${port}` }]
      }),
    )
    writeTargetFile(this.targetFile, [...targets, ...(this.#options.extraTargets ?? [])])
  }

  #tellAll(message: ToProcess): void {
    for (const fleet of this.fleets.values()) fleet.tell(message)
    this.#load?.send(message)
  }

  #fleet(service: ServiceName): ServiceFleet {
    const gateway = this.#options.midwatchUrl === undefined ? 'model-provider' : 'midwatch'
    const config =
      service === 'assistant'
        ? { ...PLANS[service].config, gateway, model: this.#options.assistantModel ?? 'assistant' }
        : PLANS[service].config
    const first: Revision = { release: newRelease(this.#random), configRevision: 'r1', config }
    return new ServiceFleet({
      service,
      workDir: this.#options.workDir,
      first,
      onChange: this.#publish,
      makeInstance: (revision, placement) => this.#serviceInstance(service, revision, placement),
    })
  }

  #serviceInstance(service: ServiceName, revision: Revision, placement: Placement): Instance {
    const instance: Instance = new Instance({
      name: service,
      entry: SERVICE_ENTRY,
      log: this.#options.log,
      onChange: this.#publish,
      startMessage: (port) => this.#startMessage(service, port, revision, placement),
      onMessage: (message) => this.#watchMemory(service, instance, message),
    })
    return instance
  }

  #outside(name: string, entry: URL, config: Readonly<Record<string, string>> = {}): Instance {
    const revision: Revision = { release: { hash: '', note: '', behaviour: {} }, configRevision: '', config }
    const placement = { scratchDir: join(this.#options.workDir, 'scratch', name), volume: undefined }
    return new Instance({
      name,
      entry,
      log: this.#options.log,
      onChange: this.#publish,
      startMessage: (port) => this.#startMessage(name, port, revision, placement),
      onMessage: (message) => {
        if (message.type === 'load') this.#loadStats = loadStats.parse(message.stats)
        // An acquirer that had to be started again has forgotten which token is good.
        if (message.type === 'ready' && name === 'acquirer' && this.#token) void this.acquirer.trouble(this.#token)
      },
    })
  }

  #startMessage(service: string, port: number, revision: Revision, placement: Placement): StartMessage {
    return {
      type: 'start',
      service,
      port,
      release: revision.release.hash,
      behaviour: revision.release.behaviour,
      config: revision.config,
      flags: this.#flags satisfies Flags,
      endpoints: this.endpoints(),
      logFile: join(this.logsDir, `${service}.log`),
      secretsFile: this.#secretsFile(service),
      seed: this.#options.seed,
      ...placement,
    }
  }

  /** The limit of a container: the log line is the one that its runtime would leave. */
  #watchMemory(service: ServiceName, instance: Instance, message: FromProcess): void {
    if (message.type !== 'memory' || message.rssBytes <= MEMORY_LIMIT_BYTES) return
    const mb = (bytes: number) => Math.round(bytes / 1024 / 1024)
    createShopLog(join(this.logsDir, `${service}.log`), service).fatal(
      `killed: out of memory, ${mb(message.rssBytes)} MB used of ${mb(MEMORY_LIMIT_BYTES)} MB`,
    )
    instance.kill()
  }

  #secretsFile(service: string): string {
    return join(this.#options.workDir, 'secrets', `${service}.json`)
  }
  #writeSecrets(service: string, secrets: Readonly<Record<string, string | undefined>>): void {
    writeFileSync(this.#secretsFile(service), JSON.stringify(secrets), { mode: 0o600 })
  }
}
