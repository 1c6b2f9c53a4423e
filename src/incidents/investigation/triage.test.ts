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
