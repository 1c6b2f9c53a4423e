import { afterEach, expect, test } from 'vitest'
import { silentLog } from '../../observe/log.ts'
import { createIncidentFeed } from '../feed.ts'
import type { InvestigationContext, InvestigationDb } from './context.ts'
import type { InvestigationState } from './state.ts'
import { verify } from './steps/verify.ts'
import { INCIDENT, makeWorld, type World } from './testing/world.ts'

let world: World | undefined
afterEach(() => world?.close())

test('an alert that joins while it is verified is not closed away', async () => {
  const { db, clock, config, start, work, approvalId } = (world = await makeWorld())
  await work(start())
  const state = { incidentId: INCIDENT, approvalId: await approvalId(), leads: [], actedAtMs: clock.now(), round: 1 }
  await db.updateTable('incidents').set({ state: 'verifying' }).execute()
  await db.updateTable('alerts').set({ status: 'resolved' }).execute()

  /** As folding would: an alert joins an incident that is open, in its own transaction. */
  const join = () =>
    db.transaction().execute(async (trx: InvestigationDb) => {
      const open = await trx.selectFrom('incidents').select('id').where('state', '!=', 'closed').executeTakeFirst()
      if (open) await trx.updateTable('alerts').set({ status: 'firing' }).execute()
    })
  let joined: Promise<void> | undefined
  const now = () => {
    joined ??= join()
    return clock.now()
  }
  const context = {
    db,
    config,
    clock: { now, sleep: clock.sleep.bind(clock) },
    sources: { metrics: [], logs: [] },
    feed: createIncidentFeed(),
    log: silentLog(),
    wake: () => undefined,
  }
  const step = verify(context as unknown as InvestigationContext)
  await step({ ...state, window: { stepMs: 1000 } } as unknown as InvestigationState, new AbortController().signal)
  await joined
  const { status } = await db.selectFrom('alerts').select('status').executeTakeFirstOrThrow()
  expect([await world.state(), status]).not.toEqual(['closed', 'firing'])
})
