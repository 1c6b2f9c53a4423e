// A stand-in for SNS's own address: a real TLS server on loopback, to which connections to AWS are led, with a certificate
// made for tests alone. It signs messages as SNS does.
import { createSign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Agent, buildConnector } from 'undici'
import { createFetchText, type FetchText } from '../fetch-aws.ts'

const pem = (name: string): string => readFileSync(join(import.meta.dirname, name), 'utf8')
const key = pem('test-only-key.pem')
const certificate = pem('test-only-certificate.pem')

const CERTIFICATE_PATH = '/SimpleNotificationService-0123456789abcdef.pem'
const CERTIFICATE_URL = `https://sns.eu-west-1.amazonaws.com${CERTIFICATE_PATH}`
export const TOPIC = 'arn:aws:sns:eu-west-1:123456789012:alarms'

export interface FakeAws {
  readonly fetchText: FetchText
  /** The addresses that were asked for. */
  readonly asked: string[]
  /** What the next answers to a confirmation are. */
  status: number
  stop(): Promise<void>
}

export async function startFakeAws(): Promise<FakeAws> {
  const asked: string[] = []
  const server = createServer({ key, cert: certificate }, (request, response) => {
    asked.push(request.url ?? '')
    if (request.url === CERTIFICATE_PATH) response.end(certificate)
    else response.writeHead(aws.status).end('<ConfirmSubscriptionResponse/>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const connect = buildConnector({ ca: certificate })
  const agent = new Agent({
    connect: (options, callback) =>
      connect({ ...options, hostname: '127.0.0.1', port: String(port), servername: options.hostname }, callback),
  })
  const aws: FakeAws = {
    fetchText: createFetchText(agent),
    asked,
    status: 200,
    stop: async () => {
      await agent.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return aws
}

/** A message as SNS posts it, signed over the fields in their documented order. */
export function signed(fields: Readonly<Record<string, string>>, version: '1' | '2' = '2'): Record<string, string> {
  const message: Record<string, string> = {
    Type: 'Notification',
    MessageId: '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324',
    TopicArn: TOPIC,
    Timestamp: '2026-11-26T03:00:00.000Z',
    ...fields,
  }
  const order =
    message['Type'] === 'Notification'
      ? ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']
      : ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type']
  const text = order.flatMap((name) => (message[name] === undefined ? [] : [`${name}\n${message[name]}\n`])).join('')
  const signature = createSign(version === '1' ? 'RSA-SHA1' : 'RSA-SHA256')
    .update(text)
    .sign(key, 'base64')
  return { ...message, SignatureVersion: version, Signature: signature, SigningCertURL: CERTIFICATE_URL }
}
