import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { detect } from './detect.ts'
import type { PiiType } from './spans.ts'
import { triggersInJson } from './triggers.ts'

const found = (text: string): string[] =>
  detect(text).map(({ start, end, type }) => `${type} ${text.slice(start, end)}`)

/** Each text with what is to be found in it, as `type value`. */
const finds = (cases: Readonly<Record<string, readonly string[] | string>>) => {
  for (const [text, expected] of Object.entries(cases)) test(text, () => expect(found(text)).toEqual([expected].flat()))
}

/** Put together here, so that no scanner of repositories takes them for leaked. */
const TOKENS = {
  openai: `sk-proj-${'a1B2c3D4'.repeat(6)}`,
  anthropic: `sk-ant-api03-${'x9Y8_w7-'.repeat(8)}A`,
  github: `ghp_${'a1B2c3'.repeat(6)}`,
  gitlab: `glpat-${'a1B2c3D4e5'.repeat(2)}`,
  aws: ['AKIA', 'IOSFODNN7EXAMPLE'].join(''),
  google: ['AIza', 'SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q'].join(''),
  slack: ['xoxb', '123456789012', '123456789012', 'abcDEF'].join('-'),
  stripe: `sk_live_${'a1B2c3D4e5F6'.repeat(2)}`,
  midwatch: `mw_${'a1B2c3D4e5F6'.repeat(3)}`,
  sendgrid: ['SG', 'a1B2c3D4e5F6g7H8i9J0k1', 'a1B2c3D4e5F6'.repeat(3)].join('.'),
  jwt: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U',
}

describe('an address is found', () => {
  finds({
    'Write to john.doe+news@example.co.uk, please.': 'email john.doe+news@example.co.uk',
    '<a.b@c.io>;"d_e@f.org"': ['email a.b@c.io', 'email d_e@f.org'],
    'jürgen@müller.de': 'email jürgen@müller.de',
    '邮箱zhang@example.cn。': 'email zhang@example.cn',
    'GET /?to=a%40b.com': 'email a%40b.com',
    'line\\njohn@x.com\\tmore': 'email john@x.com',
    '4155550132@x.com': 'email 4155550132@x.com',
  })
})

describe('what only looks like an address is not', () => {
  for (const text of [
    'icon@2x.png',
    'react@18.2.0 and @types/node',
    'git@github.com:a/b.git',
    'ssh://deploy@host.example.com/x',
    'a @ b.com',
    'user@localhost',
    'getty@tty1.service',
    'x..@b.com',
  ])
    test(text, () => expect(found(text)).toEqual([]))
})

describe('a telephone number is found', () => {
  finds({
    '(415) 555-0132 or 415.555.0132': ['phone (415) 555-0132', 'phone 415.555.0132'],
    '1-800-555-0199 ext. 12': 'phone 1-800-555-0199 ext. 12',
    '+44 (0)20 7946 0958': 'phone +44 (0)20 7946 0958',
    '+14155550132,+33 6 12 34 56 78': ['phone +14155550132', 'phone +33 6 12 34 56 78'],
    '+91 98765 43210': 'phone +91 98765 43210',
    '06 12 34 56 78': 'phone 06 12 34 56 78',
    '020 7946 0958': 'phone 020 7946 0958',
    'Call me at 4155550132': 'phone 4155550132',
    'Tel: 98765432': 'phone 98765432',
    'phone number 555-0132': 'phone 555-0132',
    'Handy 0151 23456789': 'phone 0151 23456789',
    '415–555–0132': 'phone 415–555–0132',
  })
})

describe('ids, times and amounts are no telephone numbers', () => {
  for (const text of [
    'at 1732562345, or 1732562345123 ms',
    '2024-01-15 10:30:00 and 15.01.2024 10:30',
    'called on 2024-01-15 at 20240115',
    'order 123-456-7890',
    'invoice INV-415-555-0132',
    '550e8400-e29b-41d4-a716-446655440000',
    'd41d8cd98f00b204e9800998ecf8427e',
    '12 345 678 people and $1 234 567 890',
    'pi is 3.14159265358979',
    'ISBN 978-0-306-40615-7',
    'tool call 1234567890, function call 4155550132',
    'doi 10.1000/182-345-6789',
    'GMT+0100, 1e+10, UTC+05:30',
    'commit 4155550 of 20251125',
    'Nature (2019) 150, 154-160',
  ])
    test(text, () => expect(found(text)).toEqual([]))
})

describe('a card, a bank account and a social security number are found by their rules', () => {
  finds({
    '4111 1111 1111 1111 and 4111-1111-1111-1111': ['card 4111 1111 1111 1111', 'card 4111-1111-1111-1111'],
    '5555555555554444, 378282246310005': ['card 5555555555554444', 'card 378282246310005'],
    '3782 822463 10005': 'card 3782 822463 10005',
    '4111 1111 1111 1111 123': 'card 4111 1111 1111 1111',
    'card 6759649826438453': 'card 6759649826438453',
    'DE89 3704 0044 0532 0130 00 here': 'iban DE89 3704 0044 0532 0130 00',
    gb29nwbk60161331926819: 'iban gb29nwbk60161331926819',
    '521-44-9382': 'ssn 521-44-9382',
    'SSN: 521449382': 'ssn 521449382',
    'social security 521 44 9382': 'ssn 521 44 9382',
  })
})

describe('a wrong check digit, length or area is none of them', () => {
  for (const text of [
    '4111 1111 1111 1112',
    '41111111111111111',
    '6759649826438453',
    'id_4111111111111111 x4111111111111111',
    '0000 0000 0000 0000',
    'DE89 3704 0044 0532 0130 01',
    'DE8937040044053201300',
    'XX89370400440532013000',
    '000-12-3456 666-12-3456 900-12-3456 123-00-4567 123-45-0000',
    '521449382',
    '521-44-9382-1',
  ])
    test(text, () => expect(found(text)).toEqual([]))
})

describe('the address of a machine is found, a version is not', () => {
  finds({
    'from 203.0.113.7:443 to 10.0.0.0/8.': ['ip 203.0.113.7', 'ip 10.0.0.0'],
    'http://192.168.1.10/x': 'ip 192.168.1.10',
    'peer fe80::1%eth0, 2001:db8:85a3::8a2e:370:7334': ['ip fe80::1', 'ip 2001:db8:85a3::8a2e:370:7334'],
    '[2001:db8::1]:443': 'ip 2001:db8::1',
    'ip:2001:db8::1,::ffff:203.0.113.7': ['ip 2001:db8::1', 'ip ::ffff:203.0.113.7'],
    'v1.2.3.4, version 1.2.3.4, Chrome/1.2.3.4, lib-1.2.3.4.jar, 1.2.3.4.5, 1.2.3': [],
    '256.1.1.1 and 01.2.3.4': [],
    '127.0.0.1, 0.0.0.0, ::1, 255.255.255.0': [],
    '12:30:45, aa:bb:cc:dd:ee:ff, std::dead, Foo::Bar, 12:34:56:78:9a:bc:de:f0': [],
  })
})

describe('a secret is found', () => {
  for (const [name, token] of Object.entries(TOKENS))
    test(`the token of ${name}`, () => {
      expect(found(`key ${token}, and more`)).toEqual([`secret ${token}`])
      expect(found(token)).toEqual([`secret ${token}`])
    })
  finds({
    'Authorization: Bearer abcDEF1234567890abcd': 'secret abcDEF1234567890abcd',
    'postgres://app:hunter2@db.example.com/x': 'secret hunter2',
    'password=hunter2&x=1': 'secret hunter2',
    'DB_PASSWORD: "correct horse"': 'secret correct horse',
    '{"apiKey": "abcd1234efgh5678"}': 'secret abcd1234efgh5678',
    '{\\"password\\": \\"hunter2\\"}': 'secret hunter2',
    'The password is Tr0ub4dor.': 'secret Tr0ub4dor',
    "with password 'Winter2024!' and": 'secret Winter2024!',
    'GITHUB_TOKEN=abcdef123456': 'secret abcdef123456',
  })
  test('a private key, also one that is cut off', () => {
    const key = '-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----'
    expect(found(`a ${key} b`)).toEqual([`secret ${key}`])
    expect(found(key.slice(0, 40))).toEqual([`secret ${key.slice(0, 40)}`])
  })
})

describe('what speaks of a secret, or is none, is not', () => {
  for (const text of [
    'password: string;',
    'password = os.environ["DB_PASSWORD"]',
    'connect(user=user, password=password)',
    'password=${DB_PASSWORD} password=<your password> password=******',
    'Reset your password now! Password must be 8 characters.',
    'max_tokens: 4096, next_page_token: abc',
    'PWD=/home/user1',
    'sk-learn-compatible-estimators-and-pipelines',
    'https://user@example.com/ https://example.com:8080/a@b',
    '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    'the bearer of this letter, bearer tokens are',
    '-----BEGIN CERTIFICATE-----',
  ])
    test(text, () => expect(found(text)).toEqual([]))
})

const fragment = fc.oneof(
  fc.constantFrom(
    'a@b.com',
    '+44 20 7946 0958',
    '(415) 555-0132',
    '4111 1111 1111 1111',
    '521-44-9382',
    'DE89370400440532013000',
    '203.0.113.7',
    'fe80::1',
    'password=hunter2',
    'password is Tr0ub4dor',
    'phone 98765432',
    ...Object.values(TOKENS),
  ),
  fc.constantFrom(
    ' ',
    '-',
    '.',
    ':',
    '=',
    '"',
    '\\',
    '\n',
    '@',
    '(',
    '+',
    '\u00a0',
    'é',
    '漢',
    '\ud83d\ude00',
    '\ud800',
    '0',
    'x',
  ),
  fc.string({ unit: 'binary', maxLength: 6 }),
)
const text = fc.array(fragment, { maxLength: 12 }).map((parts) => parts.join(''))

test('whatever the text, spans are in order, inside it and apart from one another', () => {
  fc.assert(
    fc.property(text, (text) => {
      let from = 0
      for (const { start, end } of detect(text)) {
        expect(start).toBeGreaterThanOrEqual(from)
        expect(end).toBeGreaterThan(start)
        from = end
      }
      expect(from).toBeLessThanOrEqual(text.length)
    }),
    { numRuns: 500 },
  )
})

test('what is found in a text is noticed in the raw bytes of its JSON, however that is written', () => {
  const asciiOnly = (json: string): string =>
    json.replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
  fc.assert(
    fc.property(text, fc.boolean(), (text, ascii) => {
      fc.pre(detect(text).length > 0)
      const json = JSON.stringify(text)
      const raw = Buffer.from(ascii ? asciiOnly(json) : json).toString('latin1')
      expect(triggersInJson(raw).length).toBeGreaterThan(0)
    }),
    // Escapes that end in hexadecimals, right before an address.
    { numRuns: 500, examples: ['\0', '\b', '\f'].map((before): [string, boolean] => [`${before}fe80::1`, false]) },
  )
})

describe('a hostile text costs time in proportion to its length', () => {
  const hostile: Readonly<Record<string, string>> = {
    digits: '1',
    'groups of digits': '4111 1111 ',
    'single digits': '1.',
    'digits and spaces': '1 ',
    'dashes between digits': '12-',
    signs: '@',
    'addresses without end': 'a@b.',
    'dots and letters': 'a.',
    'slashes and signs': 'http://a:b@',
    'credentials without end': '://a:',
    colons: ':',
    'hexadecimals and colons': 'ab:',
    'names of passwords': 'password ',
    assignments: 'password=',
    'open quotes': 'password="',
    backslashes: '\\"password\\":\\"\\',
    'beginnings of tokens': 'sk-',
    'long prefixes': 'sk-aaaaaaaaaaaaaaaaaa ',
    'beginnings of web tokens': 'eyJaaaaaaaa.',
    bearers: 'bearer ',
    'beginnings of private keys': '-----BEGIN PRIVATE KEY-----',
    'private keys without end': '-----BEGIN PRIVATE KEY-----\n-----END ',
    parentheses: '(0)',
    pluses: '+1',
    'country codes': 'GB29',
    'words before numbers': 'call 12345678 ',
    'lone surrogates': '\ud800',
  }
  for (const [name, unit] of Object.entries(hostile))
    test(name, () => {
      const seconds = (length: number): number => {
        const text = unit.repeat(Math.ceil(length / unit.length))
        const from = performance.now()
        detect(text)
        return (performance.now() - from) / 1000
      }
      seconds(10_000)
      // A quadratic rule would take hours over this.
      expect(seconds(300_000)).toBeLessThan(8)
    })
  test('ten megabytes of digits', () => {
    expect(detect('7'.repeat(10_000_000))).toEqual([])
  })
})

test('a type is told for each of the seven kinds', () => {
  const all = `a@b.com, +14155550132, 4111111111111111, 521-44-9382, GB29NWBK60161331926819, 203.0.113.7, password=hunter2`
  const types: PiiType[] = ['email', 'phone', 'card', 'ssn', 'iban', 'ip', 'secret']
  expect(detect(all).map(({ type }) => type)).toEqual(types)
})
