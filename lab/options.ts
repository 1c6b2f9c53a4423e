// What the lab's commands take on their command line.
import { InvalidArgumentError } from 'commander'

export function parseSeed(text: string): number {
  const seed = Number(text)
  if (!Number.isInteger(seed) || seed < 0) throw new InvalidArgumentError('A seed is a whole number from 0 on.')
  return seed
}

export function parseFactor(text: string): number {
  const factor = Number(text)
  if (!(factor > 0 && factor <= 10)) throw new InvalidArgumentError('The load is a number above 0, at most 10.')
  return factor
}

export function parsePort(text: string): number {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new InvalidArgumentError('A port is a whole number from 1 to 65535.')
  return port
}
