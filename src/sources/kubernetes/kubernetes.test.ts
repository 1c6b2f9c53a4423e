import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { tempFolder } from '../../../test/temp.ts'
import { ManualClock } from '../../core/clock.ts'
import type { ChangeSource, LogQuery } from '../../core/telemetry.ts'
import { silentLog } from '../../observe/log.ts'
import { CHANGE_SHOP, changeSourceContract } from '../change-source-contract.ts'
import { createSampler } from '../sampling/sampler.ts'
import { event } from './objects.ts'
import { createKubernetesSources, type KubernetesOptions } from './kubernetes.ts'
import { type ApiServer, kubeconfigFor, type KubeObject, startApiServer } from './testing/api-server.ts'

const never = new AbortController().signal
const T = Date.UTC(2026, 10, 1, 12)
const minute = 60_000
const iso = (ms: number) => new Date(ms).toISOString().replace('.000Z', 'Z')
const day = { fromMs: T - 24 * 60 * minute, toMs: T + 24 * 60 * minute }
const all: LogQuery = { ...day, limit: 1000 }

const template = (image: string, more: object = {}, annotations: Record<string, string> = {}) => ({
  metadata: { labels: { app: 'web' }, annotations },
  spec: { containers: [{ name: 'web', image, ...more }] },
})

const deployment = (
  name: string,
  uid: string,
  more: { metadata?: object; template?: object; status?: object } = {},
): KubeObject => ({
  metadata: { name, namespace: 'shop', uid, creationTimestamp: iso(T - 90 * minute), ...more.metadata },
  spec: { replicas: 3, template: more.template ?? template('web:1') },
  status: { replicas: 3, readyReplicas: 3, ...more.status },
})

const replicaSet = (owner: string, hash: string, at: number, annotations: object, its: object): KubeObject => ({
  metadata: {
    name: `web-${hash}`,
    namespace: 'shop',
    uid: `rs-${hash}`,
    creationTimestamp: iso(at),
    annotations,
    ownerReferences: [{ kind: 'Deployment', name: 'web', uid: owner, controller: true }],
  },
  spec: { template: its },
})

const happened = (
  name: string,
  reason: string,
  message: string,
  of: object,
  at: number,
  more: object = {},
): KubeObject => ({
  metadata: { name, namespace: 'shop', uid: `uid-${name}`, creationTimestamp: iso(at) },
  involvedObject: { kind: 'Pod', namespace: 'shop', ...of },
  reason,
  message,
  type: 'Warning',
  count: 1,
  firstTimestamp: iso(at),
  lastTimestamp: iso(at),
  ...more,
})

const opened: AsyncDisposable[] = []
let clock = new ManualClock(T)
beforeEach(() => void (clock = new ManualClock(T)))
afterEach(async () => {
  for (const one of opened.splice(0)) await one[Symbol.asyncDispose]()
})

async function cluster(objects: Record<string, KubeObject[]>, options: Partial<KubernetesOptions> = {}, user?: object) {
  const server = await startApiServer(objects)
  opened.push(server)
  const kubeconfig = join(tempFolder(), 'config')
  writeFileSync(kubeconfig, kubeconfigFor(server.url, user))
  const sources = createKubernetesSources({
    kubeconfig,
    namespaces: [],
    serviceLabels: ['app.kubernetes.io/name', 'app'],
    services: {},
    authorAnnotations: ['shop/deployed-by'],
    secrets: false,
    clock,
    ...options,
  })
  return { server, ...sources }
}

const read = async (source: ChangeSource | undefined) => (await source?.read(day, never)) ?? []

describe('a rollout', () => {
  const rolled = () => ({
    'apis/apps/v1/deployments': [
      deployment('web', 'd1', { metadata: { labels: { 'app.kubernetes.io/name': 'storefront' } } }),
    ],
    'apis/apps/v1/replicasets': [
      replicaSet('d1', 'aaaaaaaaa', T - 90 * minute, { 'deployment.kubernetes.io/revision': '1' }, template('web:1')),
      replicaSet(
        'd1',
        'bbbbbbbbb',
        T - 30 * minute,
        {
          'deployment.kubernetes.io/revision': '2',
          'kubernetes.io/change-cause': 'release 7',
          'shop/deployed-by': 'ada',
        },
        template('web:2', { env: [{ name: 'TOKEN', value: 'hunter2' }] }),
      ),
      replicaSet(
        'd1',
        'ccccccccc',
        T - 20 * minute,
        { 'deployment.kubernetes.io/revision': '3' },
        template('web:2', { env: [{ name: 'TOKEN', value: 'hunter3' }], resources: { limits: { memory: '64Mi' } } }),
      ),
      replicaSet(
        'd1',
        'ddddddddd',
        T - 10 * minute,
        { 'deployment.kubernetes.io/revision': '4' },
        template(
          'web:2',
          { env: [{ name: 'TOKEN', value: 'hunter3' }], resources: { limits: { memory: '64Mi' } } },
          { 'kubectl.kubernetes.io/restartedAt': 'now' },
        ),
      ),
    ],
  })

  test('tells images from and to, who and why, and of settings their names alone', async () => {
    const { changes } = await cluster(rolled())
    const found = await read(changes[0])
    expect(found.map(({ at, service, kind, from, to, author }) => ({ at, service, kind, from, to, author }))).toEqual([
      { at: T - 90 * minute, service: 'storefront', kind: 'deploy', from: undefined, to: 'web:1', author: undefined },
      { at: T - 30 * minute, service: 'storefront', kind: 'deploy', from: 'web:1', to: 'web:2', author: 'ada' },
      {
        at: T - 20 * minute,
        service: 'storefront',
        kind: 'config',
        from: 'revision 2',
        to: 'revision 3',
        author: undefined,
      },
      {
        at: T - 10 * minute,
        service: 'storefront',
        kind: 'restart',
        from: 'revision 3',
        to: 'revision 4',
        author: undefined,
      },
    ])
    expect(found[1]?.summary).toBe(
      'Deployment shop/web: revision 2: image web:1 to web:2, environment TOKEN (release 7)',
    )
    expect(found[2]?.summary).toBe('Deployment shop/web: revision 3: environment TOKEN, resources')
    expect(JSON.stringify(found)).not.toContain('hunter')
  })

  test('a rollback is told at the time of the rollback, though its replica set is old', async () => {
    const objects = rolled()
    objects['apis/apps/v1/replicasets'] = [
      replicaSet(
        'd1',
        'aaaaaaaaa',
        T - 90 * minute,
        { 'deployment.kubernetes.io/revision': '3', 'deployment.kubernetes.io/revision-history': '1' },
        template('web:1'),
      ),
      replicaSet('d1', 'bbbbbbbbb', T - 30 * minute, { 'deployment.kubernetes.io/revision': '2' }, template('web:2')),
    ]
    objects['apis/apps/v1/deployments'] = [
      deployment('web', 'd1', {
        metadata: {
          managedFields: [
            {
              manager: 'kubectl-rollout',
              operation: 'Update',
              time: iso(T - 5 * minute),
              fieldsV1: { 'f:spec': { 'f:template': {} } },
            },
            {
              manager: 'kube-controller-manager',
              operation: 'Update',
              time: iso(T),
              subresource: 'status',
              fieldsV1: { 'f:status': {} },
            },
          ],
        },
      }),
    ]
    const { changes } = await cluster(objects)
    const found = await read(changes[0])
    expect(found.map(({ at, from, to, author }) => [at - T, from, to, author])).toEqual([
      [-90 * minute, undefined, 'web:1', undefined],
      [-30 * minute, 'web:1', 'web:2', undefined],
      [-5 * minute, 'web:2', 'web:1', 'kubectl-rollout'],
    ])
    expect(found[2]?.summary).toContain('again, as it was before')
  })

  test('of a stateful set and a daemon set is read out of their revisions', async () => {
    const revision = (kind: string, uid: string, number: number, image: string): KubeObject => ({
      metadata: {
        name: `${uid}-${number}`,
        namespace: 'shop',
        uid: `${uid}-r${number}`,
        creationTimestamp: iso(T - (60 - number) * minute),
        ownerReferences: [{ kind, name: uid, uid, controller: true }],
      },
      revision: number,
      data: { spec: { template: { $patch: 'replace', ...template(image) } } },
    })
    const { changes } = await cluster({
      'apis/apps/v1/statefulsets': [deployment('db', 'db')],
      'apis/apps/v1/daemonsets': [deployment('agent', 'agent', { template: template('agent:2') })],
      'apis/apps/v1/controllerrevisions': [
        revision('StatefulSet', 'db', 1, 'pg:15'),
        revision('StatefulSet', 'db', 2, 'pg:16'),
        revision('DaemonSet', 'agent', 9, 'agent:2'),
      ],
    })
    expect((await read(changes[0])).map(({ summary, from }) => [summary, from])).toEqual([
      ['StatefulSet shop/db: revision 1, image pg:15', undefined],
      ['StatefulSet shop/db: revision 2: image pg:15 to pg:16', 'pg:15'],
      ['DaemonSet shop/agent: revision 9, image agent:2', undefined],
    ])
  })

  test('steps of a rollout are no scaling; a scaling by itself is one', async () => {
    const scaled = (name: string, message: string, at: number) =>
      happened(name, 'ScalingReplicaSet', message, { kind: 'Deployment', name: 'web', uid: 'd1' }, at, {
        type: 'Normal',
      })
    const { changes } = await cluster({
      ...rolled(),
      'api/v1/events': [
        scaled('e1', 'Scaled up replica set web-ddddddddd to 1 from 0', T - 10 * minute),
        scaled('e2', 'Scaled down replica set web-ccccccccc to 2 from 3', T - 9 * minute),
        scaled('e3', 'Scaled up replica set web-ddddddddd to 9 from 3', T + 30 * minute),
        scaled('e4', 'Scaled down replica set web-ddddddddd from 9 to 2', T + 60 * minute),
      ],
    })
    const scalings = (await read(changes[0])).filter(({ kind }) => kind === 'scale')
    expect(scalings.map(({ at, from, to, service }) => [at - T, from, to, service])).toEqual([
      [30 * minute, '3', '9', 'storefront'],
      [60 * minute, '9', '2', 'storefront'],
    ])
  })
})

describe('settings', () => {
  const settings = (name: string, time: number, keys: readonly string[]): KubeObject => ({
    metadata: {
      name,
      namespace: 'shop',
      uid: `cm-${name}`,
      creationTimestamp: iso(T - 500 * minute),
      managedFields: [
        {
          manager: 'helm',
          operation: 'Update',
          time: iso(time),
          fieldsV1: { 'f:data': Object.fromEntries(keys.map((key) => [`f:${key}`, {}])) },
        },
      ],
    },
    data: { password: 'hunter2' },
  })
  const web = template('web:1', {
    envFrom: [
      { configMapRef: { name: 'web-config' } },
      { configMapRef: { name: 'leaderboard' } },
      { configMapRef: { name: 'web-leader-election' } },
      { secretRef: { name: 'web-secret' } },
    ],
  })
  const objects = () => ({
    'apis/apps/v1/deployments': [deployment('web', 'd1', { template: web })],
    'api/v1/configmaps': [
      settings('web-config', T - 3 * minute, ['db.url', 'timeout']),
      settings('leaderboard', T - 4 * minute, ['size']),
      settings('web-leader-election', T - 3 * minute, ['x']),
      settings('nobodys', T - 3 * minute, ['x']),
      settings('kube-root-ca.crt', T - 3 * minute, ['ca.crt']),
    ],
    'api/v1/secrets': [settings('web-secret', T - 2 * minute, ['password'])],
  })

  test('that changed are a change of the service that takes them, by their keys, and no content is ever asked for', async () => {
    const { changes, server } = await cluster(objects(), { secrets: true })
    expect(changes.map(({ name }) => name)).toEqual(['kubernetes', 'kubernetes config maps', 'kubernetes secrets'])
    const found = [...(await read(changes[1])), ...(await read(changes[2]))]
    expect(found).toMatchObject([
      { at: T - 4 * minute, summary: 'ConfigMap shop/leaderboard changed, keys size' },
      {
        at: T - 3 * minute,
        service: 'web',
        kind: 'config',
        summary: 'ConfigMap shop/web-config changed, keys db.url, timeout',
        author: 'helm',
      },
      { at: T - 2 * minute, service: 'web', kind: 'config', summary: 'Secret shop/web-secret changed, keys password' },
    ])
    const asked = server.asked.filter(({ url }) => /configmaps|secrets/.test(url.pathname))
    expect(asked.length).toBe(2)
    for (const { headers } of asked) expect(headers.accept).toContain('as=PartialObjectMetadataList')
  })

  test('that may not be listed keep nothing from the rest, and say what right is missing', async () => {
    const { changes, server } = await cluster(objects())
    server.forbidden.add('api/v1/configmaps')
    expect(changes).toHaveLength(2)
    await expect(read(changes[1])).rejects.toThrow(
      /answered 403: its account may not get or list \/api\/v1\/configmaps\.$/,
    )
    await expect(read(changes[0])).resolves.toEqual([])
  })
})

describe('lines', () => {
  const pod = (name: string, owner: string, containers: readonly object[] = []): KubeObject => ({
    metadata: {
      name,
      namespace: 'shop',
      uid: `pod-${name}`,
      ownerReferences: [{ kind: 'ReplicaSet', name: owner, uid: `rs-${owner.slice(4)}` }],
    },
    status: { phase: 'Running', containerStatuses: containers },
  })
  const killed = {
    name: 'web',
    ready: false,
    restartCount: 4,
    state: { waiting: { reason: 'CrashLoopBackOff' } },
    lastState: {
      terminated: {
        exitCode: 137,
        reason: 'OOMKilled',
        startedAt: iso(T - 6 * minute),
        finishedAt: iso(T - 5 * minute),
      },
    },
  }
  const objects = () => ({
    'apis/apps/v1/deployments': [deployment('web', 'd1', { status: { readyReplicas: 1 } })],
    'apis/apps/v1/replicasets': [
      replicaSet('d1', 'aaaaaaaaa', T - 90 * minute, { 'deployment.kubernetes.io/revision': '1' }, template('web:1')),
    ],
    'api/v1/pods': [pod('web-aaaaaaaaa-11111', 'web-aaaaaaaaa', [killed]), pod('web-aaaaaaaaa-22222', 'web-aaaaaaaaa')],
    'api/v1/events': [
      happened(
        'e1',
        'BackOff',
        'Back-off restarting failed container web',
        { name: 'web-aaaaaaaaa-11111' },
        T - 4 * minute,
        {
          count: 12,
          lastTimestamp: iso(T - minute),
        },
      ),
      // Its pod is gone from the list.
      happened(
        'e2',
        'FailedScheduling',
        '0/3 nodes are available: 3 Insufficient memory.',
        { name: 'web-aaaaaaaaa-99999' },
        T - 3 * minute,
        {
          count: undefined,
          firstTimestamp: null,
          lastTimestamp: null,
          eventTime: '2026-11-01T11:57:00.000000Z',
        },
      ),
      happened(
        'e3',
        'NodeNotReady',
        'Node worker-3 status is now: NodeNotReady',
        { kind: 'Node', name: 'worker-3', namespace: '' },
        T - 2 * minute,
        { type: 'Normal' },
      ),
      happened('e4', 'Pulled', 'already present', { name: 'web-aaaaaaaaa-22222' }, T - 30_000, { type: 'Normal' }),
    ],
  })

  test('are events, first and last time, and how containers ended, of the service whose pod it is', async () => {
    const { logs } = await cluster(objects())
    const { lines, truncated, problems } = await logs.read(all, never)
    expect([truncated, problems]).toEqual([false, undefined])
    expect(lines.map(({ at, service, level, message }) => [at - T, service, level, message])).toEqual([
      [-5 * minute, 'web', 'error', 'container web ended: OOMKilled, exit code 137 (pod web-aaaaaaaaa-11111)'],
      [-4 * minute, 'web', 'error', 'BackOff: Back-off restarting failed container web (pod web-aaaaaaaaa-11111)'],
      [
        -3 * minute,
        'web',
        'error',
        'FailedScheduling: 0/3 nodes are available: 3 Insufficient memory. (pod web-aaaaaaaaa-99999)',
      ],
      [-2 * minute, 'worker-3', 'warn', 'NodeNotReady: Node worker-3 status is now: NodeNotReady (node worker-3)'],
      [
        -minute,
        'web',
        'error',
        'BackOff: Back-off restarting failed container web (pod web-aaaaaaaaa-11111, 12 times)',
      ],
      [-30_000, 'web', 'info', 'Pulled: already present (pod web-aaaaaaaaa-22222)'],
    ])
    const some = await logs.read({ ...all, services: ['web'], minLevel: 'error', limit: 2 }, never)
    expect([some.truncated, some.lines.map(({ at }) => at - T)]).toEqual([true, [-3 * minute, -minute]])
  })

  test('are found again by their reference, also when the event went on, and not when it is another', async () => {
    const { logs, server } = await cluster(objects())
    const { lines } = await logs.read(all, never)
    for (const line of lines) expect(await logs.findLine(line.ref, never)).toEqual(line)
    const events = server.objects['api/v1/events'] ?? []
    events[0] = { ...(events[0] as KubeObject), count: 40, lastTimestamp: iso(T + 9 * minute) }
    for (const line of lines) expect(await logs.findLine(line.ref, never)).toEqual(line)
    events[0] = { ...events[0], metadata: { ...events[0]?.metadata, uid: 'another' } }
    expect(await logs.findLine(lines[1]?.ref ?? '', never)).toBeUndefined()
    for (const ref of ['', 'loki|a|1|2', 'kubernetes|event|%|a|b|1|1', 'kubernetes|event|..%2F..|x|u|1|1'])
      expect(await logs.findLine(ref, never)).toBeUndefined()
  })

  test('pods that restart and workloads that are not ready are series of their service', async () => {
    const { health } = await cluster(objects())
    const sampler = createSampler({
      name: 'kubernetes',
      places: () => Promise.resolve(new Map([[health.key, health]])),
      intervalMs: 15_000,
      retentionMs: 3_600_000,
      folder: null,
      clock,
      log: silentLog(),
      words: { failed: 'no', again: 'yes' },
    })
    sampler.start()
    const range = { fromMs: T, toMs: T, stepMs: 1000 }
    const now = async (metric: string) =>
      (await sampler.query({ metric, as: 'value' }, range, never)).map(({ service, points }) => [
        service,
        points[0]?.[1],
      ])
    await expect.poll(() => now('kube_pods_waiting')).toEqual([['web', 1]])
    expect(await now('kube_pod_container_status_restarts_total')).toEqual([['web', 4]])
    expect((await now('kube_workload_ready_ratio'))[0]?.[1]).toBeCloseTo(1 / 3)
    await sampler.stop()
  })

  test('every field of an event as the API itself serialises one is understood', () => {
    const recorded = readFileSync(join(import.meta.dirname, 'recorded/core.v1.Event.json'), 'utf8')
    expect(event.parse(JSON.parse(recorded))).toMatchObject({
      reason: '26',
      message: '27',
      type: '30',
      series: { count: 1_266_076_158 },
    })
  })
})

describe('the API server', () => {
  const many = () => ({
    'api/v1/events': Array.from({ length: 25 }, (_, i) =>
      happened(`e${i}`, 'Unhealthy', `probe ${i}`, { name: `p${i}` }, T + i),
    ),
  })

  test('lists are read by pages, and begun anew when the server no longer has the rest', async () => {
    const { logs, server } = await cluster(many(), { pageSize: 10 })
    server.expired = 1
    expect((await logs.read(all, never)).lines).toHaveLength(25)
    server.expired = 2
    await expect(logs.read(all, never)).rejects.toThrow(/answered 410/)
  })

  test('what is more than is read is told', async () => {
    const { logs } = await cluster(many(), { pageSize: 10, maxObjects: 20 })
    const { lines, truncated, problems } = await logs.read(all, never)
    expect([lines.length, truncated, problems?.[0]]).toEqual([
      20,
      true,
      'there are more events than are read: name fewer namespaces',
    ])
  })

  test('only the namespaces of the list are asked for, be it for one object', async () => {
    const { logs, server } = await cluster(many(), { namespaces: ['shop', 'pay'] })
    expect((await logs.read(all, never)).lines).toHaveLength(25)
    expect(await logs.findLine(`kubernetes|event|kube-system|e1|uid-e1|${T + 1}|1`, never)).toBeUndefined()
    for (const { url } of server.asked) expect(url.pathname).toMatch(/\/namespaces\/(shop|pay)\//)
    expect(server.asked.every(({ method }) => method === 'GET')).toBe(true)
  })

  test('names of services can be told for workloads', async () => {
    const { changes } = await cluster(
      {
        'apis/apps/v1/deployments': [deployment('web', 'd1')],
        'apis/apps/v1/replicasets': [
          replicaSet('d1', 'aaaaaaaaa', T - minute, { 'deployment.kubernetes.io/revision': '1' }, template('web:1')),
        ],
      },
      { services: { 'shop/web': 'frontend' } },
    )
    expect(await read(changes[0])).toMatchObject([{ service: 'frontend' }])
  })

  test('a wrong token, garbage, silence and a kubeconfig that is none are told without what is secret', async () => {
    const wrong = await cluster(many(), {}, { token: 'wrong-token' })
    await expect(wrong.logs.read(all, never)).rejects.toThrow(
      /^Kubernetes at http:.* answered 401: its credentials are not accepted\.$/,
    )
    const garbage = await cluster({ 'api/v1/events': [{ metadata: { name: 7 } }, ...many()['api/v1/events']] })
    expect((await garbage.logs.read(all, never)).lines).toHaveLength(25)
    const silent = await cluster(many(), { timeoutMs: 50, maxBytes: 2000 })
    await expect(silent.logs.read(all, never)).rejects.toThrow(/more than 2000 bytes/)
    const nowhere = await cluster({}, { context: 'elsewhere' })
    const failed: unknown = await nowhere.logs.read(all, never).catch((error: unknown) => error)
    expect(failed).toMatchObject({ message: expect.stringMatching(/^The kubeconfig .* cannot be used/) })
    expect(inspect(failed, { depth: 9 })).not.toContain('the-token')
  })

  test('one that never answers ends by the deadline', async () => {
    const { server, ...rest } = await cluster(many(), { timeoutMs: 50 })
    server.hung = true
    await expect(rest.logs.read(all, never)).rejects.toThrow(/did not answer within 50 ms/)
  })

  test('a program of the kubeconfig that never says who asks ends by the deadline too', async () => {
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'sleep', args: ['2'] }
    const { logs, server } = await cluster(many(), { timeoutMs: 50 }, { exec })
    await expect(logs.read(all, never)).rejects.toThrow(/did not answer within 50 ms/)
    expect(server.asked).toEqual([])
  })
})

describe('as a source of changes', () => {
  let server: ApiServer
  let source: ChangeSource
  beforeEach(async () => {
    // A stateful set whose revisions are the contract's changes; who and what stand in their annotations.
    const opened = await cluster(
      {
        'apis/apps/v1/statefulsets': [deployment('checkout', 'sts', { template: template('c:1') })].map((one) => ({
          ...one,
          metadata: { ...one.metadata, labels: { app: 'checkout' } },
        })),
        'apis/apps/v1/controllerrevisions': CHANGE_SHOP.map(({ at, author, summary }, i) => ({
          metadata: {
            name: `checkout-${i}`,
            namespace: 'shop',
            uid: `r${i}`,
            creationTimestamp: iso(at),
            annotations: { 'kubernetes.io/change-cause': summary, 'shop/deployed-by': author },
            ownerReferences: [{ kind: 'StatefulSet', name: 'checkout', uid: 'sts', controller: true }],
          },
          revision: i + 1,
          data: { spec: { template: template(`c:${i}`) } },
        })),
      },
      { pageSize: 50 },
    )
    server = opened.server
    source = opened.changes[0] as ChangeSource
  })
  changeSourceContract('kubernetes', () => source)
  test('it read by pages', async () => {
    await read(source)
    expect(server.asked.filter(({ url }) => url.pathname.endsWith('controllerrevisions'))).toHaveLength(3)
  })
})
