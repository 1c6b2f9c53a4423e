import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { createAddressRules } from './addresses.ts'

const refuses = (address: string, allow: readonly string[] = [], host = 'host.example'): boolean => {
  try {
    createAddressRules(allow).check(host, address)
    return false
  } catch {
    return true
  }
}

test.each([
  '127.0.0.1',
  '127.9.9.9',
  '0.0.0.0',
  '10.1.2.3',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '100.100.100.200',
  '169.254.169.254',
  '224.0.0.1',
  '255.255.255.255',
  '::1',
  '::',
  'fd00:ec2::254',
  'fe80::1',
  'fe80::1%eth0',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '0:0:0:0:0:ffff:a9fe:a9fe',
  '64:ff9b::a00:1',
  '2002:7f00:1::',
])('%s is not the public internet', (address) => {
  expect(refuses(address)).toBe(true)
})

test.each(['1.1.1.1', '172.15.0.1', '172.32.0.1', '11.0.0.1', '2606:4700::1111', '::ffff:8.8.8.8', '64:ff9b::808:808'])(
  '%s is',
  (address) => {
    expect(refuses(address)).toBe(false)
  },
)

test('what the config allows may be asked, and only that: a host, a domain, an address, a range', () => {
  expect(refuses('10.1.2.3', ['10.1.0.0/16'])).toBe(false)
  expect(refuses('10.2.2.3', ['10.1.0.0/16'])).toBe(true)
  expect(refuses('127.0.0.1', ['127.0.0.1'])).toBe(false)
  expect(refuses('127.0.0.2', ['127.0.0.1'])).toBe(true)
  expect(refuses('::1', ['::1'])).toBe(false)
  expect(refuses('10.0.0.1', ['wiki.internal'], 'WIKI.internal')).toBe(false)
  expect(refuses('10.0.0.1', ['*.internal'], 'a.b.internal')).toBe(false)
  expect(refuses('10.0.0.1', ['*.internal'], 'internal.example')).toBe(true)
  expect(refuses('10.0.0.1', ['*.internal'], 'evilinternal')).toBe(true)
})

test('a name is judged by the addresses it has at the moment of connecting', async () => {
  const lookup = (allow: readonly string[]) => promisify(createAddressRules(allow).lookup)('localhost', { all: true })
  await expect(lookup([])).rejects.toThrow('localhost is at')
  await expect(lookup(['localhost'])).resolves.toBeTruthy()
})
