import { expect, test } from 'vitest'
import { startLagMeter } from './lag.ts'

const turn = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

function block(ms: number): void {
  const untilMs = performance.now() + ms
  while (performance.now() < untilMs);
}

test('a loop that is held up again and again lags, by about half after the first time', async () => {
  const meter = startLagMeter(5)
  await turn(10)
  const quietMs = meter.lagMs()
  block(200)
  await turn(0)
  const onceMs = meter.lagMs()
  for (let i = 0; i < 4; i++) {
    block(200)
    await turn(0)
  }
  const oftenMs = meter.lagMs()
  meter.stop()
  expect(quietMs).toBeLessThan(onceMs)
  expect(onceMs).toBeGreaterThan(80)
  expect(oftenMs).toBeGreaterThan(onceMs * 1.4)
})
