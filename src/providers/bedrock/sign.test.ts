import { createHash, createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { Secret } from '../../core/secret.ts'
import { createSigner } from './sign.ts'

// AWS' published test suite of Signature Version 4, with its example key.
const credentials = {
  accessKeyId: new Secret('AKIDEXAMPLE'),
  secretAccessKey: new Secret('wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'),
}
const at = new Date('2015-08-30T12:36:00Z')
const host = 'example.amazonaws.com'

const TOKEN =
  'AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=='

test.each([
  ['get-vanilla', 'GET', '/', {}, '', '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
  [
    'get-unreserved',
    'GET',
    '/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
    {},
    '',
    '07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f',
  ],
  ['get-utf8', 'GET', '/ሴ', {}, '', '8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85'],
  [
    'post-header-key-sort',
    'POST',
    '/',
    { 'my-header1': 'value1' },
    '',
    'c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c',
  ],
  ['post-vanilla', 'POST', '/', {}, '', '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
  [
    'post-x-www-form-urlencoded',
    'POST',
    '/',
    { 'content-type': 'application/x-www-form-urlencoded' },
    'Param1=value1',
    'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
  ],
])('the vector %s is signed as AWS signs it', async (_name, method, path, headers, body, signature) => {
  const sign = createSigner(credentials, 'us-east-1', 'service')
  const signed = await sign({ method, host, path, headers, body: Buffer.from(body) }, at)
  expect(signed['authorization']).toMatch(new RegExp(`, Signature=${signature}$`))
  expect(signed['x-amz-date']).toBe('20150830T123600Z')
})

test('the vector post-sts-header-before: a session’s token is signed and sent', async () => {
  const sign = createSigner({ ...credentials, sessionToken: new Secret(TOKEN) }, 'us-east-1', 'service')
  const signed = await sign({ method: 'POST', host, path: '/', headers: {}, body: Buffer.alloc(0) }, at)
  expect(signed['authorization']).toMatch(/Signature=85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead$/)
  expect(signed['x-amz-security-token']).toBe(TOKEN)
})

test('a model’s colons and slashes are escaped once on the wire and once more where it is signed', async () => {
  const path = `/model/${encodeURIComponent('arn:aws:bedrock:eu-west-1:123456789012:inference-profile/a.b-v1:0')}/converse`
  const body = Buffer.from('{"messages":[]}')
  const sign = createSigner(credentials, 'us-east-1', 'bedrock')
  const signed = await sign({ method: 'POST', host, path, headers: { 'content-type': 'application/json' }, body }, at)
  const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex')
  const hmac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest()
  const canonical = [
    'POST',
    path.replaceAll('%', '%25'),
    '',
    `content-type:application/json\nhost:${host}\nx-amz-date:20150830T123600Z\n`,
    'content-type;host;x-amz-date',
    sha256(body),
  ].join('\n')
  const scope = '20150830/us-east-1/bedrock/aws4_request'
  const key = ['20150830', 'us-east-1', 'bedrock', 'aws4_request'].reduce<string | Buffer>(
    hmac,
    `AWS4${credentials.secretAccessKey.reveal()}`,
  )
  const signature = hmac(key, `AWS4-HMAC-SHA256\n20150830T123600Z\n${scope}\n${sha256(canonical)}`).toString('hex')
  expect(path).toContain('%3A')
  expect(signed['authorization']).toBe(
    `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/${scope}, SignedHeaders=content-type;host;x-amz-date, Signature=${signature}`,
  )
})
