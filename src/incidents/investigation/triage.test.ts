import { afterEach, expect, test } from 'vitest'
import { createIncidentFeed } from '../feed.ts'
import type { InvestigationContext } from './context.ts'
import type { InvestigationState } from './state.ts'
import { triage } from './steps/triage.ts'
import { INCIDENT, makeWorld, type World } from './testing/world.ts'

let world: World | undefined
afterEach(() => world?.close())

test('an alert that claims an impossible beginning does not move the window away from the trouble', async () => {
  const { db, clock, config } = (world = await makeWorld())
  await db
    .updateTable('alerts')
    .set({ starts_at: Date.UTC(1, 0, 1), first_at: clock.now() })
    .execute()
  const step = triage({ db, clock, config, feed: createIncidentFeed() } as unknown as InvestigationContext)
  const { window } = await step({ incidentId: INCIDENT } as InvestigationState, new AbortController().signal)
  expect(window?.alertAtMs).toBe(clock.now())
})

test.each([
  { ago: 60_000, why: 'what is normal is read from the calm after the last incident there' },
  { ago: 10_000, why: 'a calm too short to show what is normal is not waited for' },
])('$why', async ({ ago }) => {
  const { db, clock, config } = (world = await makeWorld())
  const first = await db.selectFrom('alerts').selectAll().orderBy('starts_at').executeTakeFirstOrThrow()
  const closedAt = first.starts_at - ago
  const before = await db.selectFrom('incidents').selectAll().executeTakeFirstOrThrow()
  await db
    .insertInto('incidents')
    .values({ ...before, id: 'inc_before', number: 99, state: 'closed', outcome: 'fixed', closed_at: closedAt })
    .execute()
  await db
    .insertInto('alerts')
    .values({ ...first, id: 'alt_before', identity: 'before', starts_at: closedAt - 1000, incident_id: 'inc_before' })
    .execute()
  const step = triage({ db, clock, config, feed: createIncidentFeed() } as unknown as InvestigationContext)
  const { window } = await step({ incidentId: INCIDENT } as InvestigationState, new AbortController().signal)
  expect(window?.alertAtMs).toBe(first.starts_at)
  if (ago === 60_000) expect(window?.fromMs).toBe(closedAt)
  else expect(window?.fromMs).toBeLessThan(closedAt)
})
