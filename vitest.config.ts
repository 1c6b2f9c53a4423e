import { defineConfig } from 'vitest/config'

// `walks` start whole systems and take minutes; everything else is quick and may run side by side.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{src,lab,bench,evals,web}/**/*.test.{ts,tsx}', 'test/*.test.ts'],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'walks',
          include: ['test/walks/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
