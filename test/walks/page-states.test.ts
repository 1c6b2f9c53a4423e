// Every state the page can show, on made-up incidents behind the real server: what is said, that nothing moves while it
// is read, that keys and screen readers get everywhere, and what happens when the connection or the key is missing.
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { everyIncident, HOSTILE } from '../../web/testing/fixtures.ts'
import { type FixtureServer, startFixtureServer } from '../../web/testing/fixture-server.ts'
import { requireService } from '../services.ts'
import { DESKTOP, expectNoSidewaysScroll, PHONE, startBrowser, type TestBrowser } from './browser.ts'

const chromium = requireService('chromium')

describe.skipIf(chromium === undefined)('the page', () => {
  let browser: TestBrowser
  let server: FixtureServer

  beforeAll(async () => {
    browser = await startBrowser(chromium ?? '')
    server = await startFixtureServer()
  })
  afterAll(async () => {
    await browser?.close()
    await server?.stop(0)
  })
  afterEach(() => {
    server.incidents = [...everyIncident()]
    server.decisions.length = 0
    expect(browser.complaints).toEqual([])
  })

  const open = (path: string, options?: Parameters<TestBrowser['open']>[1], allow?: RegExp): Promise<Page> =>
    browser.open(server.url + path, options, allow)
  const text = (page: Page): Promise<string> => page.locator('main').innerText()

  test.each(everyIncident().map(({ number, state, outcome }) => [number, outcome ?? state] as const))(
    'incident %i (%s) is whole in both themes and on a phone',
    async (number, state) => {
      for (const [name, options] of [
        ['light', { ...DESKTOP, colorScheme: 'light' }],
        ['dark', { ...DESKTOP, colorScheme: 'dark' }],
        ['phone', { ...PHONE, colorScheme: 'dark' }],
        ['narrow', { ...PHONE, viewport: { width: 360, height: 640 }, colorScheme: 'light' }],
      ] as const) {
        const page = await open(`/incidents/${number}`, options)
        await page.locator('h1').waitFor()
        const plots = await page.locator('.plot-place').count()
        if (plots > 0)
          await page
            .locator('.plot-place canvas')
            .nth(plots - 1)
            .waitFor()
        await expectNoSidewaysScroll(page)
        await browser.picture(page, `state-${number}-${state}-${name}`, { fullPage: true })
        await page.context().close()
      }
    },
  )

  test('text from outside is shown as text, and an address that runs script is no link', async () => {
    const page = await open('/incidents/1')
    await page.getByText(HOSTILE, { exact: false }).first().waitFor()
    expect(await page.locator('main img').count()).toBe(0)
    expect(await page.title()).not.toBe('1')
    expect(await page.locator('a[href^="javascript"]').count()).toBe(0)
    await page.context().close()
  })

  test('a new incident announces itself and moves nothing until it is asked for', async () => {
    const [first, ...rest] = everyIncident()
    server.incidents = rest
    const page = await open('/')
    const rows = page.locator('.incident-row')
    await rows.first().waitFor()
    const before = await rows.allInnerTexts()
    server.incidents = [{ ...first!, id: 'inc_new', number: 99 }, ...rest]
    server.changed()
    await page.getByRole('button', { name: '1 new incident, show' }).waitFor()
    expect(await rows.allInnerTexts()).toEqual(before)
    await browser.picture(page, 'list-with-news')
    await page.getByRole('button', { name: '1 new incident, show' }).click()
    expect(await rows.count()).toBe(before.length + 1)
    expect(await page.title()).toBe('(2) Midwatch')
    await page.context().close()
  })

  test('the list is whole in both themes and on a phone', async () => {
    for (const [name, options] of [
      ['light', { ...DESKTOP, colorScheme: 'light' }],
      ['dark', { ...DESKTOP, colorScheme: 'dark' }],
      ['phone', { ...PHONE, colorScheme: 'light' }],
    ] as const) {
      const page = await open('/', options)
      await page.locator('.incident-row').first().waitFor()
      await expectNoSidewaysScroll(page)
      await browser.picture(page, `list-${name}`)
      await page.context().close()
    }
  })

  test('a newcomer is told how to send an alert and how to try it', async () => {
    server.incidents = []
    const page = await open('/')
    await page.getByText('No alert has come in yet').waitFor()
    expect(await text(page)).toContain(`curl ${server.url}/v1/alerts/alertmanager`)
    expect(await text(page)).toContain('npm run lab')
    await browser.picture(page, 'list-empty')
    await page.context().close()
  })

  test('everything is done with keys: open, step through the evidence, approve, and list the keys', async () => {
    const page = await open('/')
    await page.locator('.incident-row').first().waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Checkout fails' }).waitFor()
    await page.keyboard.press('j')
    expect(await page.evaluate('document.activeElement.id')).toBe('e1')
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keys' }).waitFor()
    await browser.picture(page, 'keys')
    await page.keyboard.press('Escape')
    await page.waitForTimeout(700)
    await page.keyboard.press('a')
    await page.getByText('Midwatch has your decision').waitFor()
    expect(server.decisions).toEqual([{ decision: 'approve' }])
    await page.keyboard.press('g')
    await page.keyboard.press('i')
    await page.locator('.incident-row').first().waitFor()
    await page.context().close()
  })

  test('a high risk asks a second time, naming what will run, and a stray key decides nothing', async () => {
    const page = await open('/incidents/4')
    await page.getByRole('button', { name: 'Approve' }).first().waitFor()
    await page.waitForTimeout(700)
    await page.keyboard.press('a')
    const dialog = page.getByRole('dialog')
    await dialog.waitFor()
    expect(await dialog.innerText()).toContain('roll-back on inventory with version = 7e10b')
    await page.keyboard.press('a')
    expect(await dialog.getByRole('button', { name: 'Approve and run' }).isDisabled()).toBe(true)
    expect(server.decisions).toEqual([])
    await browser.picture(page, 'confirm')
    await page.keyboard.press('Space')
    await dialog.getByRole('button', { name: 'Approve and run' }).click()
    await page.getByText('Midwatch has your decision').waitFor()
    expect(server.decisions).toEqual([{ decision: 'approve', confirmed: true }])
    await page.context().close()
  })

  test('a refusal takes a reason, and typing in it presses no keys', async () => {
    const page = await open('/incidents/1')
    await page.getByRole('button', { name: 'Refuse' }).first().waitFor()
    await page.waitForTimeout(700)
    await page.keyboard.press('r')
    await page.keyboard.type('a rollback now loses orders')
    await page.getByRole('dialog').getByRole('button', { name: 'Refuse' }).click()
    await page.getByText('Midwatch has your decision').waitFor()
    expect(server.decisions).toEqual([{ decision: 'refuse', reason: 'a rollback now loses orders' }])
    await page.context().close()
  })

  test('the decision stays in sight while the evidence scrolls, also on a phone', async () => {
    for (const options of [DESKTOP, PHONE]) {
      const page = await open('/incidents/1', options)
      await page.locator('.plot-place canvas').first().waitFor()
      await page.locator('#a1').scrollIntoViewIfNeeded()
      await page.locator('.alerts').scrollIntoViewIfNeeded()
      await page.waitForTimeout(300)
      const seen = await page.evaluate<boolean>(
        `[...document.querySelectorAll('button')].some((button) => {
           const box = button.getBoundingClientRect()
           return button.innerText.startsWith('Approve') && box.top >= 0 && box.bottom <= innerHeight
         })`,
      )
      expect(seen).toBe(true)
      await browser.picture(page, options === PHONE ? 'decision-bar-phone' : 'decision-stays')
      await page.context().close()
    }
  })

  test('what is done after the decision appears by itself', async () => {
    const page = await open('/incidents/1')
    await page.getByRole('button', { name: 'Approve' }).first().waitFor()
    const [first, , , , acting, verifying] = everyIncident()
    const become = (next: (typeof server.incidents)[number] | undefined): void => {
      server.incidents = [{ ...next!, id: first!.id, number: 1 }]
      server.changed()
    }
    become(acting)
    await page.getByText('Being carried out now').waitFor()
    expect(await text(page)).toContain('Approved by Mina Okafor')
    become(verifying)
    await page.getByText('Carried out. Checking that it helped').waitFor()
    expect(await text(page)).toContain('To take it back: redeploy 8f2c1')
    await page.context().close()
  })

  test('without a key the page asks for one, and with it everything appears', async () => {
    const locked = await startFixtureServer({ key: 'mw_open_sesame' })
    try {
      const page = await browser.open(`${locked.url}/incidents/1`, DESKTOP, /401/)
      await page.getByRole('heading', { name: 'Sign in' }).waitFor()
      await browser.picture(page, 'sign-in')
      await page.getByLabel('API key').fill('mw_wrong')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByText('This key is not known').waitFor()
      await page.getByLabel('API key').fill('mw_open_sesame')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByRole('heading', { level: 1, name: 'Checkout fails' }).waitFor()
      expect(await page.evaluate('JSON.stringify({ ...localStorage })')).not.toContain('sesame')
      await page.getByRole('button', { name: 'Sign out' }).click()
      await page.getByRole('heading', { name: 'Sign in' }).waitFor()
      await page.context().close()
    } finally {
      await locked.stop(0)
    }
  })

  test('a lost connection is said, the page greys, and it catches up', async () => {
    const first = await startFixtureServer()
    const page = await browser.open(`${first.url}/incidents/1`, DESKTOP, /ERR_|Failed to load/)
    await page.getByRole('button', { name: 'Approve' }).first().waitFor()
    await first.stop(0)
    await page.getByText('The connection is lost since').waitFor()
    expect(await page.locator('.stale').count()).toBe(1)
    await browser.picture(page, 'connection-lost')
    const second = await startFixtureServer({ port: first.port })
    try {
      second.incidents = everyIncident().map((incident) => ({ ...incident, sentence: 'Everything is well again.' }))
      await page.getByText('Everything is well again.').waitFor({ timeout: 30_000 })
      await page.getByText('The connection is lost since').waitFor({ state: 'detached' })
      await page.context().close()
    } finally {
      await second.stop(0)
    }
  })

  test('an incident or a room that does not exist is said in words', async () => {
    const page = await open('/incidents/4711', DESKTOP, /404/)
    await page.getByRole('heading', { name: 'There is no such incident' }).waitFor()
    await page.goto(`${server.url}/nowhere`)
    await page.getByRole('heading', { name: 'There is no such page' }).waitFor()
    await page.context().close()
  })

  test('of five thousand incidents only those near the reader are drawn', async () => {
    const [first] = everyIncident()
    server.incidents = Array.from({ length: 5000 }, (_, i) => ({ ...first!, id: `inc_${i}`, number: 5000 - i }))
    const page = await open('/')
    const rows = page.locator('.incident-row')
    await rows.first().waitFor()
    expect(await rows.count()).toBeLessThanOrEqual(200)
    const slowest = await page.evaluate<number>(
      `new Promise((done) => {
         let last = performance.now(), slowest = 0, left = 60
         const step = (now) => {
           slowest = left < 60 ? Math.max(slowest, now - last) : 0
           last = now
           scrollBy(0, 400)
           if (--left > 0) requestAnimationFrame(step); else done(slowest)
         }
         requestAnimationFrame(step)
       })`,
    )
    console.log(`The slowest of 60 frames, scrolling 24,000 pixels of 5,000 incidents: ${slowest.toFixed(0)} ms.`)
    expect(await rows.count()).toBeGreaterThan(200)
    expect(await rows.count()).toBeLessThan(1000)
    await page.context().close()
  })
})
