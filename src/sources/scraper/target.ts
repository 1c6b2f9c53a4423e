// A scrape target: where to look and which labels everything found there carries. Targets come from the config and
// from Prometheus's `file_sd` files, so that one file can serve a real Prometheus and the embedded scraper.
import { z } from 'zod'
import type { Labels } from '../../core/telemetry.ts'

export interface Target {
  readonly url: string
  /** Always with `service` and `instance`. */
  readonly labels: Labels
  /** The same for equal targets. */
  readonly key: string
}

export interface StaticTarget {
  readonly service: string
  readonly url: string
}

/** A target named in the config. A URL without a path means `/metrics`. */
export function staticTarget({ service, url }: StaticTarget): Target {
  const at = new URL(url)
  if (at.pathname === '/') at.pathname = '/metrics'
  return makeTarget(at.href, { service, instance: at.host })
}

const fileSd = z.array(
  z.object({
    targets: z.array(z.string().min(1)),
    labels: z.record(z.string(), z.string()).default({}),
  }),
)

export type TargetFile =
  | { readonly ok: true; readonly targets: readonly Target[] }
  | { readonly ok: false; readonly reason: string }

/** The targets of a `file_sd` JSON file. The service is the label `service`, else `job`, else the address. */
export function parseTargetFile(text: string): TargetFile {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    return { ok: false, reason: `it is not JSON: ${(error as Error).message}` }
  }
  const parsed = fileSd.safeParse(json)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    return { ok: false, reason: `${issue?.path.join('.') || 'the file'}: ${issue?.message ?? 'is not file_sd'}` }
  }
  const targets: Target[] = []
  for (const group of parsed.data) {
    for (const address of group.targets) {
      const url = urlOf(address, group.labels)
      if (url === undefined) return { ok: false, reason: `"${address}" is not an address such as 127.0.0.1:9100` }
      const own = Object.entries(group.labels).filter(([label, value]) => !label.startsWith('__') && value !== '')
      const labels = { instance: address, ...Object.fromEntries(own) } as Record<string, string>
      targets.push(makeTarget(url, { ...labels, service: labels['service'] ?? labels['job'] ?? address }))
    }
  }
  return { ok: true, targets }
}

/** `__scheme__`, `__metrics_path__` and `__param_x` mean what they mean to Prometheus. */
function urlOf(address: string, labels: Labels): string | undefined {
  if (address.includes('/')) return undefined
  const path = labels['__metrics_path__'] ?? '/metrics'
  const text = `${labels['__scheme__'] ?? 'http'}://${address}${path.startsWith('/') ? path : `/${path}`}`
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined
  for (const [label, value] of Object.entries(labels)) {
    if (label.startsWith('__param_')) url.searchParams.set(label.slice('__param_'.length), value)
  }
  return url.href
}

function makeTarget(url: string, labels: Labels): Target {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))
  return { url, labels: Object.fromEntries(sorted), key: JSON.stringify([url, sorted]) }
}
