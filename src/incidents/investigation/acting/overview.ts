// The action catalogue as people look at it: what may be done, to what, at which risk, and how it did so far.
import type { ActionConfig, ParameterConfig } from '../../../config/action-schema.ts'
import type { Db } from '../../../db/connect.ts'
import type { IncidentTables } from '../../tables.ts'
import type { ActingView } from '../../view.ts'
import { NO_RECORD, readRecords } from './record.ts'
import { findStop } from './stop.ts'

export async function readActing(
  db: Db<IncidentTables>,
  tenant: string,
  catalogue: readonly ActionConfig[],
): Promise<ActingView> {
  const records = await readRecords(db, tenant)
  return {
    stopped: (await findStop(db, tenant)) ?? null,
    actions: catalogue.map((entry) => {
      const { name, does, services, fits, title, undo, risk, parameters, preconditions, cooldownSeconds } = entry
      return {
        name,
        does,
        services: [...services],
        fits: [...fits],
        title,
        undo: typeof undo === 'string' ? undo : undo.text,
        undoable: typeof undo !== 'string',
        risk,
        parameters: Object.fromEntries(Object.entries(parameters).map(([key, one]) => [key, describe(one)])),
        preconditions: preconditions.map(({ says }) => says),
        cooldownSeconds,
        record: { ...(records.get(name) ?? NO_RECORD) },
      }
    }),
  }
}

/** "1 to 12, 4 unless given". */
function describe(parameter: ParameterConfig): string {
  if (typeof parameter === 'string') return parameter
  const unless = parameter.value === undefined ? '' : `, ${parameter.value} unless given`
  switch (parameter.type) {
    case 'enum':
      return `${parameter.values.join(' or ')}${unless}`
    case 'number':
      return `${parameter.min} to ${parameter.max}${unless}`
    case 'string':
      return `${parameter.pattern === undefined ? 'a text' : `a text like ${parameter.pattern}`}${unless}`
  }
}
