// What a drill can play: every fault, and the rounds in which the obvious answer is wrong.
import { InvalidArgumentError } from 'commander'
import { nearest } from '../../src/core/nearest.ts'
import { FAULTS } from '../faults/all.ts'
import { alertStorm } from './alert-storm.ts'
import type { Round } from './context.ts'
import { faultRound } from './fault.ts'
import { healsItself } from './heals-itself.ts'
import { quietRound } from './quiet.ts'
import { twoFaults } from './two-faults.ts'
import { withoutLogs } from './without-logs.ts'

export const HARD_ROUNDS: ReadonlyMap<string, Round> = new Map([
  ['none', quietRound],
  ['heals-itself', healsItself],
  ['without-logs', withoutLogs],
  ['two-faults', twoFaults],
  ['alert-storm', alertStorm],
])

export const ROUNDS: ReadonlyMap<string, Round> = new Map([
  ...FAULTS.map((fault) => [fault.name, faultRound(fault)] as const),
  ...HARD_ROUNDS,
])

/** For a command line: names by comma. An unknown one is wrong usage, told with the nearest. */
export function parseRounds(text: string): string[] {
  const names = text.split(',').map((name) => name.trim())
  for (const name of names) {
    if (ROUNDS.has(name)) continue
    const near = nearest(name, [...ROUNDS.keys()])
    throw new InvalidArgumentError(
      `No round is called ${name}. ${near === undefined ? `There are ${[...ROUNDS.keys()].join(', ')}.` : `Did you mean ${near}?`}`,
    )
  }
  return names
}
