import { expect, test } from 'vitest'
import { configSchema } from '../src/config/schema.ts'
import { FAULT_KINDS } from '../src/core/fault-kinds.ts'
import { actionCatalogue } from './catalogue.ts'
import { FAULTS } from './faults/all.ts'

test('the catalogue is a configuration that Midwatch accepts', () => {
  const actions = actionCatalogue('http://127.0.0.1:4800')
  expect(configSchema.parse({ agent: { actions } }).agent.actions).toEqual(actions)
})

test('every fault is mended by an action that fits its kind and may touch its service', () => {
  const actions = actionCatalogue('http://127.0.0.1:4800')
  for (const fault of FAULTS) {
    const fitting = actions.filter(
      ({ fits, services }) => fits.includes(fault.kind) && services.includes(fault.service),
    )
    expect(
      fitting.map(({ does }) => does),
      fault.name,
    ).toContain(fault.mends)
  }
})

test('the lab has a fault of every kind', () => {
  expect(new Set(FAULTS.map(({ kind }) => kind))).toEqual(new Set(FAULT_KINDS))
})
