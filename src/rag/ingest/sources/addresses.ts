// Where a fetch may go. A URL can be written by one and fetched by another: so addresses inside the own network, of the
// machine itself and of the cloud's metadata service are refused, unless the config allows them by name or by range. It is
// the address that is looked at, at the moment of connecting, for a name can point to one thing now and another then.
import { lookup as systemLookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { AppError } from '../../../core/errors.ts'

export interface AddressRules {
  /** Whether this host may be asked at its address. Throws AppError. */
  check(host: string, address: string): void
  /** For a connection: only addresses that pass. */
  readonly lookup: LookupFunction
}

/** RFC 6890 and its siblings: what is not the public internet. */
const PRIVATE: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
  ['5f00::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
]

/** `allow`: hosts (`wiki.internal`, `*.internal`), addresses and ranges (`10.1.0.0/16`) that may be asked all the same. */
export function createAddressRules(allow: readonly string[]): AddressRules {
  const refused = new BlockList()
  for (const [net, prefix] of PRIVATE) refused.addSubnet(net, prefix, isIP(net) === 6 ? 'ipv6' : 'ipv4')
  const allowed = new BlockList()
  const hosts: string[] = []
  for (const entry of allow) {
    const [net = '', prefix] = entry.split('/')
    const version = isIP(net)
    if (version === 0) hosts.push(entry.toLowerCase())
    else allowed.addSubnet(net, Number(prefix ?? (version === 6 ? 128 : 32)), version === 6 ? 'ipv6' : 'ipv4')
  }
  const isIn = (list: BlockList, address: string) => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  const isAllowedHost = (host: string): boolean =>
    hosts.some((known) =>
      known.startsWith('*.') ? host.toLowerCase().endsWith(known.slice(1)) : known === host.toLowerCase(),
    )
  const check = (host: string, written: string): void => {
    // ::ffff:127.0.0.1 and 64:ff9b::7f00:1 are 127.0.0.1 by another name.
    const address = embeddedIpv4(written) ?? written
    if (isAllowedHost(host) || isIn(allowed, address) || !isIn(refused, address)) return
    throw new AppError(
      'forbidden',
      `${host} is at ${address}, inside a network that is not public. To fetch from there, name it in rag.fetch.allow.`,
    )
  }
  const lookup: LookupFunction = (host, options, done) => {
    systemLookup(host, { ...options, all: true }, (error, found) => {
      if (error) return done(error, '', 0)
      try {
        // All of them, for nobody knows which one is taken.
        for (const { address } of found) check(host, address)
      } catch (refusal) {
        return done(refusal as Error, '', 0)
      }
      const [first] = found
      if (options.all) done(null, found)
      else if (first) done(null, first.address, first.family)
      else done(new AppError('not_found', `${host} has no address.`), '', 0)
    })
  }
  return { check, lookup }
}

/** The IPv4 address within an IPv6 one that stands for it, or undefined. */
function embeddedIpv4(address: string): string | undefined {
  if (isIP(address) !== 6) return undefined
  const groups = expand(address)
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  const translated = groups[0] === 0x64 && groups[1] === 0xff9b && groups.slice(2, 6).every((group) => group === 0)
  const [high = 0, low = 0] = groups.slice(6)
  return mapped || translated ? [high >> 8, high & 255, low >> 8, low & 255].join('.') : undefined
}

/** Eight numbers; the URL parser writes every address in its shortest form. */
function expand(address: string): number[] {
  const short = new URL(`http://[${address.replace(/%.*$/, '')}]/`).hostname.slice(1, -1)
  const [head = '', tail] = short.split('::')
  const numbers = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)))
  const [before, after] = [numbers(head), numbers(tail ?? '')]
  return tail === undefined
    ? before
    : [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after]
}
