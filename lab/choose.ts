// Which faults a run plays.
import { InvalidArgumentError } from 'commander'
import { FAULTS, getFault } from './faults/all.ts'
import type { Fault } from './faults/fault.ts'

/** Faults that hurt soon enough for someone who watches. */
const SOON_SECONDS = 20
export const DEMO_FAULTS: readonly Fault[] = FAULTS.filter(({ minSeconds }) => minSeconds <= SOON_SECONDS)

/** For a command line: an unknown name is wrong usage, told with the nearest one. */
export function parseFault(name: string): Fault {
  try {
    return getFault(name)
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
}
