// The envelope in which Amazon SNS delivers over HTTP, and in which it is handed to Lambda functions: there two of its
// fields are spelled differently.
// https://docs.aws.amazon.com/sns/latest/dg/http-notification-json.html
import { z } from 'zod'
import { text, time } from '../loose.ts'
import type { JsonObject } from '../sender.ts'

const shape = z.object({
  Type: text,
  MessageId: text,
  TopicArn: text,
  // The signature is over exactly these bytes: nothing may be trimmed.
  Subject: z.string().optional().catch(undefined),
  Message: z.string().optional().catch(undefined),
  Timestamp: z.string().optional().catch(undefined),
  Token: z.string().optional().catch(undefined),
  SubscribeURL: text,
  SubscribeUrl: text,
  SignatureVersion: text,
  Signature: text,
  SigningCertURL: text,
  SigningCertUrl: text,
})

export interface SnsMessage {
  readonly type: string
  readonly messageId: string | undefined
  readonly topic: string | undefined
  readonly subject: string | undefined
  readonly message: string | undefined
  readonly timestamp: string | undefined
  readonly timestampMs: number | undefined
  readonly token: string | undefined
  readonly subscribeUrl: string | undefined
  readonly signatureVersion: string | undefined
  readonly signature: string | undefined
  readonly certificateUrl: string | undefined
}

const TYPES = new Set(['Notification', 'SubscriptionConfirmation', 'UnsubscribeConfirmation'])

/** The message of an envelope, or undefined where it is none. */
export function readEnvelope(given: JsonObject): SnsMessage | undefined {
  const said = shape.parse(given)
  if (said.Type === undefined || !TYPES.has(said.Type)) return undefined
  return {
    type: said.Type,
    messageId: said.MessageId,
    topic: said.TopicArn,
    subject: said.Subject,
    message: said.Message,
    timestamp: said.Timestamp,
    timestampMs: time.parse(said.Timestamp),
    token: said.Token,
    subscribeUrl: said.SubscribeURL ?? said.SubscribeUrl,
    signatureVersion: said.SignatureVersion,
    signature: said.Signature,
    certificateUrl: said.SigningCertURL ?? said.SigningCertUrl,
  }
}

const HOST = /^sns\.[a-z0-9-]{3,40}\.amazonaws\.com(?:\.cn)?$/

/** An address of SNS itself: nothing else is ever asked because a message says so. */
export function snsAddress(given: string | undefined): URL | undefined {
  if (given === undefined || !URL.canParse(given)) return undefined
  const url = new URL(given)
  const plain = url.protocol === 'https:' && url.port === '' && url.username === '' && url.password === ''
  return plain && HOST.test(url.hostname) ? url : undefined
}
