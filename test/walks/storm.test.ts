// A storm of five thousand alerts, of which three are real, with two `kill -9` in the middle: the three are found, nothing
// that was answered 202 is lost, nothing is there twice, and the memory stays bounded. (`npm run bench:storm` sends fifty
// thousand and says how fast.)
import { expect, test } from 'vitest'
import { REAL } from '../../bench/storm-alerts.ts'
import { runStorm } from '../../bench/storm-run.ts'
import { tempFolder } from '../temp.ts'

const ALERTS = 5000
const MEMORY_BYTES = 1e9

test('three real alerts are found in a storm that two kills interrupt', async () => {
  const result = await runStorm({
    alerts: ALERTS,
    kills: 2,
    senders: 8,
    folder: tempFolder(),
    foldedWithinMs: 300_000,
  })
  expect(result.lost).toEqual([])
  expect(result.doubled).toEqual([])
  expect(result.unfolded).toBe(0)
  expect(Object.values(result.decisions).reduce((sum, n) => sum + n, 0)).toBeGreaterThanOrEqual(ALERTS)
  expect(result.incidents.map(({ service }) => service ?? '').toSorted()).toEqual([...REAL].toSorted())
  expect(result.incidents.every(({ severity }) => severity === 'critical')).toBe(true)
  expect(result.sentAgain).toBeGreaterThan(0)
  expect(result.peakBytes ?? 0).toBeLessThan(MEMORY_BYTES)
}, 600_000)
