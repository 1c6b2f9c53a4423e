// A real browser for the tests of the page. It notes what must not happen on any page (an error in the console, a
// broken content policy) and takes pictures that a person can look at: SCREENSHOTS=folder keeps them.
import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { expect } from 'vitest'

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export interface TestBrowser {
  /** A page of its own, without cookies. `allow`: console lines that the test provokes on purpose. */
  open(url: string, options?: BrowserContextOptions, allow?: RegExp): Promise<Page>
  picture(page: Page, name: string, options?: { fullPage?: boolean }): Promise<void>
  /** What went wrong on any page so far. */
  readonly complaints: readonly string[]
  close(): Promise<void>
}

export const DESKTOP = { viewport: { width: 1280, height: 860 } } as const
export const PHONE = {
  viewport: { width: 390, height: 844 },
  isMobile: true,
  hasTouch: true,
  deviceScaleFactor: 2,
} as const

export async function startBrowser(executablePath: string): Promise<TestBrowser> {
  const browser: Browser = await chromium.launch({ executablePath, args: FLAGS })
  const folder = process.env['SCREENSHOTS'] ?? mkdtempSync(join(tmpdir(), 'midwatch-page-'))
  mkdirSync(folder, { recursive: true })
  const complaints: string[] = []
  return {
    complaints,
    async open(url, options = DESKTOP, allow) {
      const context = await browser.newContext({ timezoneId: 'Europe/Berlin', ...options })
      context.setDefaultTimeout(20_000)
      const page = await context.newPage()
      page.on('console', (message) => {
        const line = `${message.type()}: ${message.text()}`
        if (['error', 'warning'].includes(message.type()) && !allow?.test(line)) complaints.push(line)
      })
      page.on('pageerror', (error) => complaints.push(`thrown: ${error.message}`))
      await page.addInitScript(
        `addEventListener('securitypolicyviolation', (event) =>
           console.error('content policy: ' + event.violatedDirective + ' ' + event.blockedURI))`,
      )
      await page.goto(url)
      return page
    },
    async picture(page, name, { fullPage = false } = {}) {
      await page.screenshot({ path: join(folder, `${name}.png`), fullPage, animations: 'disabled' })
    },
    close: () => browser.close(),
  }
}

/** True when nothing on the page is wider than the window. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const [wide, room] = await page.evaluate<[number, number]>(
    '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
  )
  expect(wide).toBeLessThanOrEqual(room)
}
