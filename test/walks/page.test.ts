// The whole walk as a person sees it, in a real browser on a real Midwatch: a service is broken, its alert comes in, the
// incident appears, the cause is named with its evidence, a click approves the fix, it runs once, and the incident closes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { type Child, freePort, startChild } from '../../lab/child.ts'
import { incidentList, incidentView, type IncidentView } from '../../src/incidents/view.ts'
import { requireService } from '../services.ts'
import { DESKTOP, expectNoSidewaysScroll, PHONE, startBrowser, type TestBrowser } from './browser.ts'
import { type SmallShop, startSmallShop } from './small-shop.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const HOSTILE = '<img src=x onerror="document.title=\'owned\'">'
const BASELINE_SECONDS = 45

const chromium = requireService('chromium')

describe.skipIf(chromium === undefined)('from the list to a fix that a click approved', () => {
  const workDir = mkdtempSync(join(tmpdir(), 'midwatch-walk-'))
  let browser: TestBrowser
  let shop: SmallShop
  let midwatch: Child
  let url: string
  let page: Page

  beforeAll(async () => {
    browser = await startBrowser(chromium ?? '')
    shop = await startSmallShop(workDir, HOSTILE)
    const port = await freePort()
    url = `http://127.0.0.1:${port}`
    const config = join(workDir, 'midwatch.yaml')
    writeFileSync(config, stringify(configOf(shop, port, join(workDir, 'data'))))
    midwatch = await startChild({
      name: 'Midwatch',
      command: process.execPath,
      args: [join(ROOT, 'src', 'main.ts'), 'start', '--config', config],
      cwd: ROOT,
      logFile: join(workDir, 'midwatch.log'),
    })
    await midwatch.waitUntil(async () => (await fetch(`${url}/ready`)).ok, 90_000)
  })

  afterAll(async () => {
    await browser?.close()
    await midwatch?.stop()
    await shop?.stop()
    rmSync(workDir, { recursive: true, force: true })
  })

  test('before anything happens, the page says how to begin', async () => {
    page = await browser.open(url, { ...DESKTOP, colorScheme: 'light' })
    await page.getByText('No alert has come in yet').waitFor()
    await browser.picture(page, 'walk-1-empty')
  })

  test('an alert comes in and its incident appears by itself', async () => {
    // A healthy past to compare with.
    await wait(BASELINE_SECONDS * 1000)
    const deployedAt = Date.now()
    await post('/v1/changes', {
      id: 'deploy-8f2c1',
      at: deployedAt,
      service: 'inventory',
      kind: 'deploy',
      summary: 'Reserve stock in one transaction',
      from: '7e10b',
      to: '8f2c1',
      author: 'Jonas Ek',
    })
    await wait(1000)
    shop.breakInventory()
    await wait(12_000)
    await sendAlerts('firing', deployedAt + 8000)
    await page.locator('.incident-row').first().waitFor()
    expect(await page.locator('.incident-row').count()).toBe(1)
    await browser.picture(page, 'walk-2-list')
  })

  test('the incident names the cause, shows its evidence, and proposes a fix', async () => {
    await page.locator('.incident-row').first().click()
    await page.getByRole('button', { name: 'Approve' }).first().waitFor({ timeout: 120_000 })
    const said = await page.locator('main').innerText()
    expect(said).toContain('inventory')
    expect(said).toMatch(/Confidence 0\.\d\d/)
    expect(said).toContain('Roll inventory back to 7e10b')
    expect(said).toMatch(/Risk\s+\d of 10/)
    expect(said).toContain('If nothing is done')
    await page.locator('.plot-place canvas').first().waitFor()
    expect(await page.getByRole('button', { name: 'Copy the query' }).count()).toBeGreaterThan(0)
    expect(said).toContain('8f2c1')
    await browser.picture(page, 'walk-3-incident-light', { fullPage: true })
    await page.emulateMedia({ colorScheme: 'dark' })
    await browser.picture(page, 'walk-3-incident-dark', { fullPage: true })
    await page.emulateMedia({ colorScheme: 'light' })
  })

  test('what the outside wrote stands there as text', async () => {
    const said = await page.locator('main').innerText()
    expect(said).toContain(HOSTILE)
    expect(await page.locator('main img').count()).toBe(0)
    expect(await page.title()).not.toBe('owned')
  })

  test('on a phone the sentence and the decision fit, and the decision stays in sight', async () => {
    const phone = await browser.open(page.url(), { ...PHONE, colorScheme: 'dark' })
    await phone.getByRole('button', { name: 'Approve' }).first().waitFor()
    await expectNoSidewaysScroll(phone)
    await browser.picture(phone, 'walk-4-phone-dark')
    await phone.locator('#alerts').scrollIntoViewIfNeeded()
    await phone.locator('.decision-bar').waitFor()
    await browser.picture(phone, 'walk-4-phone-bar-dark')
    await phone.context().close()
  })

  test('one click approves it, it runs once, and the incident closes as fixed', async () => {
    await page.waitForTimeout(700)
    await page.getByRole('button', { name: 'Approve' }).first().click()
    await page.getByText('Approved by local user').waitFor({ timeout: 30_000 })
    await browser.picture(page, 'walk-5-approved')
    await expect.poll(() => shop.rollbacks.length, { timeout: 30_000 }).toBe(1)
    await wait(6000)
    await sendAlerts('resolved', Date.now())
    await page.getByText('Carried out, and it helped.').waitFor({ timeout: 180_000 })
    await browser.picture(page, 'walk-6-closed', { fullPage: true })
    const incident = await readIncident()
    expect([incident.state, incident.outcome]).toEqual(['closed', 'fixed'])
    expect(shop.rollbacks.length).toBe(1)
    await page.getByRole('link', { name: 'Incidents' }).click()
    await page.getByText('Nothing is open').waitFor()
    await browser.picture(page, 'walk-7-list-closed')
  })

  test('on all of this way no script failed and no content policy was broken', () => {
    expect(browser.complaints).toEqual([])
  })

  async function post(path: string, body: unknown): Promise<void> {
    const response = await fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    expect([path, response.status]).toEqual([path, 202])
  }

  const startsAt = new Map<string, string>()

  async function sendAlerts(status: 'firing' | 'resolved', atMs: number): Promise<void> {
    const alert = (labels: Record<string, string>) => {
      const name = labels['alertname'] ?? ''
      const began = startsAt.get(name) ?? new Date(atMs).toISOString()
      startsAt.set(name, began)
      return {
        status,
        labels: { severity: 'critical', ...labels },
        annotations: { summary: `Requests fail ${HOSTILE}` },
        startsAt: began,
        endsAt: status === 'resolved' ? new Date(atMs).toISOString() : '0001-01-01T00:00:00Z',
        generatorURL: 'javascript:alert(1)',
      }
    }
    await post('/v1/alerts/alertmanager', {
      version: '4',
      status,
      groupKey: '{}:{}',
      alerts: [
        alert({ alertname: 'HighErrorRate', service: 'checkout' }),
        alert({ alertname: `Errors ${HOSTILE}`, service: 'inventory' }),
      ],
    })
  }

  async function readIncident(): Promise<IncidentView> {
    const list = incidentList.parse(await (await fetch(`${url}/v1/incidents?state=all`)).json())
    return incidentView.parse(await (await fetch(`${url}/v1/incidents/${list.incidents[0]?.id ?? ''}`)).json())
  }
})

function configOf(shop: SmallShop, port: number, data: string): unknown {
  return {
    server: { port },
    data,
    auth: { mode: 'off' },
    agent: {
      sources: {
        scrape: { targetFiles: [shop.targetFile], intervalSeconds: 1, retentionSeconds: 600 },
        files: { paths: [shop.logsDir] },
      },
      folding: { groupWaitSeconds: 2 },
      diagnosis: { baselineSeconds: BASELINE_SECONDS, stepSeconds: 1 },
      verify: { withinSeconds: 60, everySeconds: 2 },
      actions: [
        {
          name: 'roll-back',
          does: 'roll-back',
          services: ['inventory', 'checkout'],
          fits: ['bad_deploy', 'bad_config'],
          title: 'Roll {service} back to {from}',
          expected: 'The errors of {service} end.',
          undo: 'Deploy {to} again.',
          risk: 2,
          request: {
            url: `${shop.actionUrl}/{service}/rollback`,
            headers: { 'idempotency-key': '{run}' },
          },
        },
      ],
    },
  }
}
