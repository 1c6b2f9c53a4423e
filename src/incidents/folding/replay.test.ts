import { expect, test } from 'vitest'
import { foldingSchema } from '../../config/folding-schema.ts'
import { closeQuietly, wireAlert } from '../testing.ts'
import { readFoldingConfig } from './config.ts'
import { compareReplays, replay } from './replay.ts'
import { START, world } from './testing.ts'

const config = (settings: object) => readFoldingConfig(foldingSchema.parse(settings))
const TOPOLOGY = [{ caller: 'checkout', callee: 'payment' }]

test('a replay by the same rules decides as was decided, and by others it shows exactly what differs', async () => {
  const w = await world(TOPOLOGY)
  await w.send(wireAlert('A', 'checkout', START - 1000), wireAlert('B', 'payment', START))
  await w.clock.advance(60_000)
  await w.send(
    wireAlert('A', 'checkout', START - 1000, { endsAtMs: START + 60_000 }),
    wireAlert('C', 'search', START + 60_000),
  )
  await w.clock.advance(5000)
  await w.send(wireAlert('B', 'payment', START, { endsAtMs: START + 65_000 }))
  await w.clock.advance(15_000)
  await closeQuietly(w.db, (await w.incidents())[0]?.id ?? '', w.clock.now())
  await w.clock.advance(100_000)
  await w.send(wireAlert('A', 'checkout', w.clock.now()), wireAlert('Watchdog', null, START))
  const alerts = await w.alerts()
  const same = await replay({ alerts, silences: [] }, config({}), TOPOLOGY)
  const decided = new Map(alerts.map(({ id, decision, reason }) => [id, `${decision} ${reason?.split(':')[0]}`]))
  expect(new Map(same.map(({ id, decision, reason }) => [id, `${decision} ${reason.split(':')[0]}`]))).toEqual(decided)
  expect([...decided.values()]).toContain('joined reopen')
  expect(compareReplays(same, await replay({ alerts, silences: [] }, config({}), TOPOLOGY))).toEqual([])

  const apart = await replay({ alerts, silences: [] }, config({ reopenWithinSeconds: 0 }), [])
  const nameOf = (id: string) => alerts.find((row) => row.id === id)?.name
  expect(
    compareReplays(same, apart)
      .map(({ id, after }) => `${nameOf(id)} ${after.decision}`)
      .toSorted((a, b) => a.localeCompare(b)),
  ).toEqual(['A opened', 'B opened'])
  await w.end()
})
