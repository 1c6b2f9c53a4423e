// Whether a body comes from whom it says: the signatures of the senders for which the config has a secret, or for which
// it asks (SNS). The key in the request says who may post at all; this says that nobody else wrote what was posted.
import { createHmac } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { IntakeConfig } from '../../config/intake-schema.ts'
import { AppError } from '../../core/errors.ts'
import { equalSecrets } from '../../core/hash.ts'
import type { Body } from './decode-body.ts'
import type { FetchText } from './cloudwatch/fetch-aws.ts'
import { createSignatureCheck } from './cloudwatch/signature.ts'
import { readEnvelope } from './cloudwatch/sns.ts'

export interface Claim {
  readonly sender: string
  readonly bytes: Uint8Array
  readonly body: Body
  readonly headers: IncomingHttpHeaders
  readonly nowMs: number
  readonly signal: AbortSignal
}

/** Throws `forbidden` where a proof is missing or wrong, `unavailable` where it cannot be checked now. */
export type Prove = (claim: Claim) => Promise<void>

export function createProve(config: IntakeConfig, fetchText: FetchText): Prove {
  const checkSns = createSignatureCheck(fetchText)
  return async (claim) => {
    switch (claim.sender) {
      case 'pagerduty':
        return checkHmac(claim, config.pagerduty?.secret.reveal(), 'x-pagerduty-signature', (given) =>
          given.split(',').flatMap((one) => /^\s*v1=([0-9a-f]{64})\s*$/.exec(one)?.[1] ?? []),
        )
      case 'sentry':
        return checkHmac(claim, config.sentry?.secret.reveal(), 'sentry-hook-signature', (given) => [given.trim()])
      case 'grafana':
        return checkHmac(claim, config.grafana?.secret.reveal(), 'x-grafana-alerting-signature', (given) => [
          given.trim(),
        ])
      case 'cloudwatch':
        return await checkTopics(claim, config.cloudwatch, checkSns)
    }
  }
}

function checkHmac(
  { bytes, headers, sender }: Claim,
  secret: string | undefined,
  header: string,
  signaturesIn: (given: string) => readonly string[],
): void {
  if (secret === undefined) return
  const given = headers[header]
  if (typeof given !== 'string')
    throw new AppError('forbidden', `The header ${header} is missing, and agent.intake.${sender}.secret asks for it.`)
  const expected = createHmac('sha256', secret).update(bytes).digest('hex')
  if (signaturesIn(given).some((one) => equalSecrets(one, expected))) return
  throw new AppError('forbidden', `${header} is not the signature of this body with agent.intake.${sender}.secret.`)
}

async function checkTopics(
  { body, nowMs, signal }: Claim,
  { signature, topics }: IntakeConfig['cloudwatch'],
  check: ReturnType<typeof createSignatureCheck>,
): Promise<void> {
  if (signature === 'off' && topics === undefined) return
  const envelopes = body.kind === 'json' ? body.objects.map(readEnvelope) : [undefined]
  for (const envelope of envelopes) {
    if (!envelope)
      throw new AppError('forbidden', 'Only messages of SNS are taken (agent.intake.cloudwatch); this is none.')
    if (topics && !topics.includes(envelope.topic ?? ''))
      throw new AppError('forbidden', 'The topic of this message is not among agent.intake.cloudwatch.topics.', {
        field: 'TopicArn',
      })
    if (signature === 'off') continue
    const result = await check(envelope, nowMs, signal)
    if (result.kind === 'invalid')
      throw new AppError('forbidden', `The message is refused: ${result.reason}.`, { field: 'Signature' })
    // SNS sends again what was not taken.
    if (result.kind === 'unknown')
      throw new AppError('unavailable', `The signature cannot be checked: ${result.reason}.`)
  }
}
