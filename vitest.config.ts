import { defineConfig } from 'vitest/config'

/** They measure times of the systems they start, or load the machine: nothing may run beside one of them. */
const ALONE = ['clients', 'faults', 'fuzz', 'gateway-failures', 'lab', 'shop-faults']
const files = `{${ALONE.join(',')}}.test.ts`

// `walks` and `alone` start whole systems and take minutes; everything else is quick and may run side by side. The three
// come one after another: a group begins when the one before has ended.
export default defineConfig({
  test: {
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
          // More than there are cores: they wait for the systems they started most of their time.
          maxWorkers: 3,
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
