import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type IntakeConfig, intakeSchema } from '../../../config/intake-schema.ts'
import { ManualClock } from '../../../core/clock.ts'
import type { Connection } from '../../../db/connect.ts'
import { createWorker, type Worker } from '../../../db/queue.ts'
import { silentLog } from '../../../observe/log.ts'
import { createIncidentFeed } from '../../feed.ts'
import { createIntake } from '../../receive.ts'
import { openTestDb, type TestDb } from '../../testing.ts'
import { type FakeAws, signed, startFakeAws, TOPIC } from './testing/aws.ts'
import { snsAddress } from './sns.ts'

const NOW = Date.UTC(2027, 0, 1)
const alarm = { AlarmName: 'Errors', NewStateValue: 'ALARM', StateChangeTime: '2026-11-26T02:59:00.000+0000' }
let aws: FakeAws
let db: TestDb
let connection: Connection
let worker: Worker | undefined

beforeAll(async () => {
  aws = await startFakeAws()
})
afterAll(() => aws.stop())
beforeEach(async () => {
  ;({ db, connection } = await openTestDb())
  aws.asked.length = 0
  aws.status = 200
})
afterEach(async () => {
  await worker?.stop()
  worker = undefined
  await connection.close()
})

const make = (config: Partial<IntakeConfig['cloudwatch']> = {}) =>
  createIntake({
    db,
    feed: createIncidentFeed(),
    log: silentLog(),
    clock: new ManualClock(NOW),
    config: intakeSchema.parse({ cloudwatch: config }),
    onStored: () => undefined,
    fetchText: aws.fetchText,
  })

const post = (intake: ReturnType<typeof make>, body: unknown) =>
  intake.receive({
    tenant: 'default',
    sender: 'cloudwatch',
    bytes: Buffer.from(JSON.stringify(body)),
    headers: { 'content-type': 'text/plain; charset=UTF-8' },
    signal: new AbortController().signal,
  })
const stored = () => db.selectFrom('alerts').select(['name', 'decision', 'reason']).execute()

describe('where signatures are required', () => {
  const required = () => make({ signature: 'required' })

  test.each(['1', '2'] as const)('a message with a valid one of version %s is taken', async (version) => {
    const intake = required()
    await post(intake, signed({ Message: JSON.stringify(alarm), Subject: 'ALARM: "Errors"' }, version))
    await post(intake, signed({ Message: JSON.stringify(alarm), MessageId: 'another' }, version))
    expect(await stored()).toMatchObject([{ name: 'Errors' }])
    expect(aws.asked, 'the certificate is asked for once').toHaveLength(1)
  })

  const good = () => signed({ Message: JSON.stringify(alarm) })
  test.each<[string, () => unknown, RegExp]>([
    [
      'changed afterwards',
      () => ({ ...good(), Message: JSON.stringify({ ...alarm, AlarmName: 'Other' }) }),
      /not that of/,
    ],
    ['of another certificate', () => ({ ...good(), SigningCertURL: 'https://evil.example/x.pem' }), /SigningCertURL/],
    [
      'of a host that only looks like it',
      () => ({
        ...good(),
        SigningCertURL: 'https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-01234567.pem',
      }),
      /SigningCertURL/,
    ],
    [
      'of a file that anyone may put there',
      () => ({ ...good(), SigningCertURL: 'https://sns.eu-west-1.amazonaws.com/mine.pem' }),
      /SigningCertURL/,
    ],
    [
      'without TLS',
      () => ({
        ...good(),
        SigningCertURL: 'http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-01234567.pem',
      }),
      /SigningCertURL/,
    ],
    ['without a signature', () => ({ ...good(), Signature: undefined }), /no Signature/],
    ['of an unknown version', () => ({ ...good(), SignatureVersion: '3' }), /SignatureVersion/],
    ['that is none of SNS', () => alarm, /Only messages of SNS/],
    ['as a function gets it', () => ({ Records: [{ Sns: good() }] }), /Only messages of SNS/],
  ])('a message %s is refused and leaves nothing', async (_, body, message) => {
    const refused: unknown = await post(required(), body()).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'forbidden', message: expect.stringMatching(message) })
    expect(await stored()).toEqual([])
  })

  test('a certificate that cannot be had is a 503, so that SNS sends again', async () => {
    const unreachable = createIntake({
      db,
      feed: createIncidentFeed(),
      log: silentLog(),
      clock: new ManualClock(NOW),
      config: intakeSchema.parse({ cloudwatch: { signature: 'required' } }),
      onStored: () => undefined,
      fetchText: () => Promise.reject(new Error('no route')),
    })
    await expect(post(unreachable, good())).rejects.toMatchObject({ code: 'unavailable' })
  })
})

test('lines of a log are read up to as many bytes as are unpacked', async () => {
  const logEvents = [{ id: '1', timestamp: NOW, message: `ERROR ${'x'.repeat(2 * 1024 * 1024)}` }]
  const lines = JSON.stringify({ messageType: 'DATA_MESSAGE', logGroup: '/aws/lambda/cart', logEvents })
  await post(make(), { awslogs: { data: gzipSync(lines).toString('base64') } })
  expect(await stored()).toMatchObject([{ name: 'Log lines matched in /aws/lambda/cart', decision: null }])
})

test('only the topics of the config are taken, where it names some', async () => {
  await expect(
    post(make({ topics: ['arn:aws:sns:eu-west-1:1:other'] }), signed({ Message: 'x' })),
  ).rejects.toMatchObject({
    code: 'forbidden',
    field: 'TopicArn',
  })
  await post(make({ topics: [TOPIC] }), signed({ Message: JSON.stringify(alarm) }))
  expect(await stored()).toMatchObject([{ name: 'Errors' }])
})

describe('the handshake', () => {
  const confirmation = (url: string) =>
    signed({ Type: 'SubscriptionConfirmation', Token: 't', Message: 'You have chosen …', SubscribeURL: url })
  const address = 'https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t'

  const runJobs = async (intake: ReturnType<typeof make>) => {
    const clock = new ManualClock(NOW)
    worker = createWorker({ db, handlers: intake.handlers, clock, log: silentLog() })
    worker.start()
    for (let i = 0; i < 200; i++) {
      await clock.advance(100)
      await new Promise((resolve) => setTimeout(resolve, 5))
      const jobs = await db.selectFrom('jobs').select(['state', 'failures']).execute()
      if (jobs.every(({ state, failures }) => state === 'done' || failures > 0)) return
    }
  }

  test('a subscription is confirmed at the address that SNS names, and that is told', async () => {
    const intake = make({ signature: 'required' })
    await post(intake, confirmation(address))
    await runJobs(intake)
    expect(aws.asked).toContain('/?Action=ConfirmSubscription&Token=t')
    expect(await stored()).toEqual([
      {
        name: `Subscription to ${TOPIC}`,
        decision: 'ignored',
        reason: `notice: the subscription to ${TOPIC} is confirmed`,
      },
    ])
  })

  test('an address that fails is asked again later, and that is told', async () => {
    aws.status = 500
    const intake = make()
    await post(intake, confirmation(address))
    await runJobs(intake)
    expect((await stored())[0]?.reason).toMatch(/could not be confirmed .*answered 500.*; it is tried again/)
    expect(await db.selectFrom('jobs').select('state').execute()).toEqual([{ state: 'waiting' }])
  })

  test.each([
    'http://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription',
    'https://evil.example/?Action=ConfirmSubscription',
    'https://sns.eu-west-1.amazonaws.com@evil.example/',
    'https://user@sns.eu-west-1.amazonaws.com/',
    'https://sns.eu-west-1.amazonaws.com:8443/',
    'https://sns.eu-west-1.amazonaws.com.evil.example/',
    'https://169.254.169.254/latest/meta-data/',
    'file:///etc/passwd',
    'not an address',
  ])('%s is never visited', async (url) => {
    const intake = make()
    await post(intake, confirmation(url))
    await runJobs(intake)
    expect(snsAddress(url)).toBeUndefined()
    expect(aws.asked).toEqual([])
    expect(await stored()).toMatchObject([
      { decision: 'not_understood', reason: expect.stringMatching(/not an address of SNS/) },
    ])
  })
})

test('an alarm in a message of another topic than before is another alert', async () => {
  const intake = make()
  await post(intake, signed({ Message: JSON.stringify({ ...alarm, AWSAccountId: '1' }) }))
  await post(intake, signed({ Message: JSON.stringify({ ...alarm, AWSAccountId: '2' }) }))
  expect(await stored()).toHaveLength(2)
})
