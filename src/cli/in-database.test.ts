import { existsSync, readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { tempFolder } from '../../test/temp.ts'
import { databaseFile } from '../database.ts'
import { inDatabase, inStoredDatabase } from './in-database.ts'

test('a folder in which nothing was kept is told, not answered for by an empty database', async () => {
  const folder = tempFolder()
  await expect(async () => inStoredDatabase(folder, async () => 'all is well')).rejects.toThrow('kept nothing in')
  expect(readdirSync(folder)).toEqual([])
})

test('what was kept is read, and the database is closed also when reading fails', async () => {
  const folder = tempFolder()
  await inDatabase(folder, async () => undefined)
  expect(existsSync(databaseFile(folder))).toBe(true)
  expect(await inStoredDatabase(folder, async () => 'read')).toBe('read')
  await expect(
    inStoredDatabase(folder, async () => {
      throw new Error('no')
    }),
  ).rejects.toThrow('no')
})
