// Whether a message was signed by Amazon SNS: SHA-1 (version 1) or SHA-256 (version 2) with RSA over the fields in the
// documented order, against a certificate that lies at an address of SNS. Certificates are kept, a few of them.
// https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
import { createVerify, X509Certificate } from 'node:crypto'
import { describeError } from '../../../core/errors.ts'
import type { FetchText } from './fetch-aws.ts'
import { wordIn } from '../words.ts'
import { snsAddress, type SnsMessage } from './sns.ts'

export type SignatureCheck =
  | { readonly kind: 'valid' }
  | { readonly kind: 'invalid'; readonly reason: string }
  /** The certificate could not be had: nobody knows. */
  | { readonly kind: 'unknown'; readonly reason: string }

const ALGORITHMS: Readonly<Record<string, string>> = { '1': 'RSA-SHA1', '2': 'RSA-SHA256' }
const CERTIFICATE_PATH = /^\/SimpleNotificationService-[0-9a-f]{8,64}\.pem$/
const MAX_KEPT = 20

const invalid = (reason: string): SignatureCheck => ({ kind: 'invalid', reason })

/** A checker with its own memory of certificates. */
export function createSignatureCheck(
  fetchText: FetchText,
): (message: SnsMessage, nowMs: number, signal: AbortSignal) => Promise<SignatureCheck> {
  const kept = new Map<string, X509Certificate>()

  const certificateAt = async (url: URL, signal: AbortSignal): Promise<X509Certificate> => {
    const known = kept.get(url.href)
    if (known) return known
    const certificate = new X509Certificate(await fetchText(url, signal))
    const [oldest] = kept.keys()
    if (kept.size >= MAX_KEPT && oldest !== undefined) kept.delete(oldest)
    kept.set(url.href, certificate)
    return certificate
  }

  return async (message, nowMs, signal) => {
    const algorithm = wordIn(ALGORITHMS, message.signatureVersion)
    if (algorithm === undefined) return invalid('SignatureVersion is neither 1 nor 2')
    if (message.signature === undefined) return invalid('it has no Signature')
    const url = snsAddress(message.certificateUrl)
    if (!url || !CERTIFICATE_PATH.test(url.pathname) || url.search !== '')
      return invalid('SigningCertURL is not the address of a certificate of SNS')
    let certificate: X509Certificate
    try {
      certificate = await certificateAt(url, signal)
    } catch (error) {
      return { kind: 'unknown', reason: `the certificate could not be had (${describeError(error)})` }
    }
    if (nowMs < Date.parse(certificate.validFrom) || nowMs > Date.parse(certificate.validTo))
      return invalid('the certificate is not valid at this time')
    const verified = createVerify(algorithm)
      .update(signedText(message), 'utf8')
      .verify(certificate.publicKey, message.signature, 'base64')
    return verified ? { kind: 'valid' } : invalid('the signature is not that of this message')
  }
}

/** The fields that are signed, each name and value on a line of its own. */
function signedText(message: SnsMessage): string {
  const fields: readonly (readonly [string, string | undefined])[] =
    message.type === 'Notification'
      ? [
          ['Message', message.message],
          ['MessageId', message.messageId],
          ['Subject', message.subject],
          ['Timestamp', message.timestamp],
          ['TopicArn', message.topic],
          ['Type', message.type],
        ]
      : [
          ['Message', message.message],
          ['MessageId', message.messageId],
          ['SubscribeURL', message.subscribeUrl],
          ['Timestamp', message.timestamp],
          ['Token', message.token],
          ['TopicArn', message.topic],
          ['Type', message.type],
        ]
  return fields.map(([name, value]) => (value === undefined ? '' : `${name}\n${value}\n`)).join('')
}
