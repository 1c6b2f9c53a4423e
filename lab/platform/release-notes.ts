// What people write above their releases. The same sentences stand over good and bad ones.
import type { Behaviour } from '../shop/messages.ts'
import type { Release } from './platform.ts'
import type { Random } from './random.ts'

const NOTES = [
  'Tidy up logging',
  'Update dependencies',
  'Rename internal fields',
  'Small refactoring of request handling',
  'Prepare for the new price list',
  'Simplify data access',
  'Improve wording of messages',
  'Reuse objects between requests',
  'Move constants to one place',
  'Address review comments',
]

const AUTHORS = ['mara', 'jonas', 'priya', 'tomas', 'wei', 'aisha', 'lukas', 'nina']

export function newRelease(random: Random, behaviour: Behaviour = {}): Release {
  return { hash: random.hex(5), note: random.pick(NOTES), behaviour }
}

export const someAuthor = (random: Random): string => random.pick(AUTHORS)
