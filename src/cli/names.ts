// Names on the command line: of collections, tenants and teams.
import { InvalidArgumentError } from 'commander'

export function parseName(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text)) return text
  throw new InvalidArgumentError('A name is letters, digits, ".", "_" or "-", at most 64.')
}
