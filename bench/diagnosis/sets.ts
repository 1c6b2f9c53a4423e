// The recorded sets that the diagnosis is measured on: SET/cases, SET/baseline, SET/topology.csv, SET/truth.json. Read once,
// kept in memory. The truth never reaches what is being judged.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { readCase, readRecording, readTopology, type Recording } from '../../src/cli/case-folder.ts'
import type { FaultKind } from '../../src/core/fault-kinds.ts'
import type { CaseInput } from '../../src/diagnosis/case.ts'

const truthFile = z.record(z.string(), z.object({ service: z.string(), kind: z.string() }))

/** Who only observes, in these recordings. */
export const OBSERVERS = ['user-facing']

export interface Truth {
  readonly service: string
  readonly kind: string
}

export interface RecordedCase {
  readonly id: string
  readonly input: CaseInput
  readonly truth: Truth
}

export interface RecordedSet {
  readonly name: string
  readonly baseline: Recording
  readonly cases: readonly RecordedCase[]
}

export async function readSets(root: string): Promise<RecordedSet[]> {
  const sets: RecordedSet[] = []
  for (const name of readdirSync(root).filter((one) => existsSync(join(root, one, 'truth.json')))) {
    const truth = truthFile.parse(JSON.parse(readFileSync(join(root, name, 'truth.json'), 'utf8')))
    const topology = await readTopology(join(root, name, 'topology.csv'))
    const baseline = await readRecording(join(root, name, 'baseline'), topology)
    const cases: RecordedCase[] = []
    for (const [id, its] of Object.entries(truth).sort(([a], [b]) => (a < b ? -1 : 1))) {
      const { input } = await readCase(join(root, name, 'cases', id), topology)
      cases.push({ id, input, truth: its })
    }
    sets.push({ name, baseline, cases })
  }
  return sets
}

/** What those who injected the faults call them, in the product's words; a kind that is not listed is not judged. */
const KINDS: Readonly<Record<string, readonly FaultKind[]>> = {
  cpu_contention: ['cpu'],
  cpu_consumed: ['cpu'],
  network_delay: ['slow_dependency'],
  exception: ['bad_deploy', 'bad_config'],
  return: ['bad_deploy', 'bad_config'],
}

/** Undefined where the truth does not say. */
export const kindsOf = (truth: Truth): readonly FaultKind[] | undefined => KINDS[truth.kind]
