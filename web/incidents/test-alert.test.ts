import { expect, test } from 'vitest'
import { readAlerts } from '../../src/incidents/testing.ts'
import { testAlertCommand } from './test-alert.ts'

const NOW = Date.UTC(2026, 10, 23, 2, 12, 40)

test('the command shown to newcomers carries a webhook that the intake takes', () => {
  const command = testAlertCommand('http://127.0.0.1:4747', NOW, { withKey: false })
  const body: unknown = JSON.parse(/-d '(.+)'$/s.exec(command)?.[1] ?? '')
  const [alert] = readAlerts(body, NOW)
  expect(alert).toMatchObject({ name: 'HighErrorRate', service: 'checkout', severity: 'critical', status: 'firing' })
  expect(alert?.startsAtMs).toBe(NOW)
  expect(command).not.toContain('authorization')
})

test('where a key is needed, the command says where it goes', () => {
  expect(testAlertCommand('https://watch.example', NOW, { withKey: true })).toContain('Bearer $MIDWATCH_KEY')
})
