// What one investigation at a terminal reads: alerts in a file as they would be posted.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { tempFolder } from '../../test/temp.ts'
import { investigateCommand } from './investigate.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

const mail = 'Subject: [CRITICAL] Disk full on web-1\n\nService: cart\nStatus: down\n'
const alert = { title: 'Disk full', status: 'firing', service: 'cart' }

/** What is printed for a file of these bytes, or the sentence with which it is refused. */
async function investigate(bytes: string | Uint8Array): Promise<string> {
  const folder = tempFolder()
  const [config, file] = [join(folder, 'midwatch.yaml'), join(folder, 'alerts')]
  writeFileSync(config, JSON.stringify({ agent: { sources: { files: { paths: [folder] } } } }))
  writeFileSync(file, bytes)
  let said = ''
  vi.spyOn(console, 'log').mockImplementation((text: string) => void (said += text))
  const run = investigateCommand().parseAsync(['--alert', file, '--config', config, '--json'], { from: 'user' })
  return await run.then(
    () => said,
    (error: unknown) => String(error),
  )
}

test.each<[string, string | Uint8Array]>([
  ['an object', JSON.stringify(alert)],
  ['a list', JSON.stringify([alert, alert])],
  ['JSON in UTF-16', Buffer.from(`\uFEFF${JSON.stringify(alert)}`, 'utf16le')],
  ['plain text', mail],
])('a file is read as it would be posted: %s', async (_, bytes) => {
  expect(JSON.parse(await investigate(bytes))).toHaveProperty('report.causes')
})

test.each<[string, string, RegExp]>([
  ['nothing', '', /holds no alerts: The body is empty/],
  ['a number', '5', /holds no alert/],
  ['a list of numbers', '[5]', /holds no alerts: The field 0 is a number/],
])('a file that cannot be posted is refused with the same reason: %s', async (_, bytes, reason) => {
  expect(await investigate(bytes)).toMatch(reason)
})
