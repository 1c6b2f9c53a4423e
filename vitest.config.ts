import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** They measure times of the systems they start, or load the machine: nothing may run beside one of them. */
const ALONE = ['clients', 'faults', 'fuzz', 'gateway-failures', 'lab', 'shop-faults']
const files = `{${ALONE.join(',')}}.test.ts`

/** What takes longest begins first, in this order, so that nothing is waited for by an idle core. */
const LONG = ['walks/kill', 'walks/page-states', 'walks/page', 'walks/ingest-kill']

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const long = LONG.flatMap((name) => sorted.filter(({ moduleId }) => moduleId.endsWith(`/${name}.test.ts`)))
    return [...long, ...sorted.filter((file) => !long.includes(file))]
  }
}

// `walks` and `alone` start whole systems and take minutes; everything else is quick and may run side by side. The three
// come one after another: a group begins when the one before has ended.
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{src,lab,bench,evals,web}/**/*.test.{ts,tsx}', 'test/*.test.ts'],
          testTimeout: 20_000,
          // The default leaves one core idle, which of two is half.
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'walks',
          include: ['test/walks/**/*.test.ts'],
          exclude: [`test/walks/${files}`],
          testTimeout: 600_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'alone',
          include: [`test/walks/${files}`],
          testTimeout: 600_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
