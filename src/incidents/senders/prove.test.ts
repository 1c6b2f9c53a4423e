import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { intakeSchema } from '../../config/intake-schema.ts'
import { decodeBody } from './decode-body.ts'
import { createProve } from './prove.ts'

const SECRET = 'not a real secret'
const bytes = Buffer.from('{"event":{"event_type":"pagey.ping"}}')
const hex = createHmac('sha256', SECRET).update(bytes).digest('hex')
const wrong = createHmac('sha256', 'another').update(bytes).digest('hex')

const prove = (config: unknown, sender: string, headers: Record<string, string>, body = bytes) =>
  createProve(intakeSchema.parse(config), () => Promise.reject(new Error('nobody is asked')))({
    sender,
    bytes: body,
    body: decodeBody(body, 'application/json', false),
    headers,
    nowMs: 0,
    signal: new AbortController().signal,
  })

const SIGNED = [
  ['pagerduty', 'x-pagerduty-signature', `v1=${hex}`, `v1=${wrong}`],
  ['pagerduty', 'x-pagerduty-signature', `v1=${wrong},v1=${hex}`, `v0=${hex}`],
  ['sentry', 'sentry-hook-signature', hex, wrong],
  ['grafana', 'x-grafana-alerting-signature', hex, wrong],
] as const

describe.each(SIGNED)('a body of %s with %s', (sender, header, good, bad) => {
  const config = { [sender]: { secret: SECRET } }

  test('is taken when the signature is of this body, with this secret', async () => {
    await expect(prove(config, sender, { [header]: good })).resolves.toBeUndefined()
  })

  test('is refused when it is another one, of another body, or none, and the secret is not told', async () => {
    const changed = Buffer.from('{"event":{"event_type":"incident.triggered"}}')
    for (const attempt of [
      prove(config, sender, { [header]: bad }),
      prove(config, sender, { [header]: good }, changed),
      prove(config, sender, { [header]: '' }),
      prove(config, sender, {}),
    ]) {
      const refused: unknown = await attempt.catch((error: unknown) => error)
      expect(refused).toMatchObject({ code: 'forbidden', message: expect.stringContaining(header) })
      expect(String(refused)).not.toContain(SECRET)
    }
  })

  test('needs none where the config has no secret', async () => {
    await expect(prove({}, sender, {})).resolves.toBeUndefined()
  })
})
