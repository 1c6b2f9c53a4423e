// A stand-in for PagerDuty's Events API v2 with its deduplication. The shapes and sentences of its answers are those of
// PagerDuty's documentation (developer.pagerduty.com/docs/events-api-v2, github.com/PagerDuty/api-schema).
import { z } from 'zod'
import { serveVendor, type VendorServer } from './vendor-server.ts'

export interface PagerdutyAlert {
  state: 'triggered' | 'acknowledged' | 'resolved'
  /** How often it was opened: people are paged once for each. */
  pages: number
  readonly event: Readonly<Record<string, unknown>>
}

export interface PagerdutyServer extends VendorServer {
  readonly alerts: Map<string, PagerdutyAlert>
}

const link = z.strictObject({ href: z.string(), text: z.string() })
const event = z.strictObject({
  routing_key: z.string().length(32),
  event_action: z.enum(['trigger', 'acknowledge', 'resolve']),
  dedup_key: z.string().max(255),
  client: z.string().optional(),
  client_url: z.string().optional(),
  links: z.array(link).optional(),
  payload: z
    .strictObject({
      summary: z.string().min(1).max(1024),
      source: z.string().min(1),
      severity: z.enum(['critical', 'error', 'warning', 'info']),
      timestamp: z.string(),
      component: z.string().optional(),
      class: z.string().optional(),
      custom_details: z.record(z.string(), z.unknown()),
    })
    .optional(),
})

export async function servePagerduty(routingKey: string): Promise<PagerdutyServer> {
  const alerts = new Map<string, PagerdutyAlert>()
  const invalid = (...errors: string[]) => ({
    status: 400,
    body: { status: 'invalid event', message: 'Event object is invalid', errors },
  })
  const server = await serveVendor(({ method, path, json, text }) => {
    if (path !== '/v2/enqueue' || method !== 'POST') return { status: 404 }
    if (text.length > 512_000) return { status: 413 }
    const parsed = event.safeParse(json)
    if (!parsed.success) return invalid(parsed.error.issues.map(({ message }) => message).join(', '))
    const { routing_key, event_action, dedup_key, payload } = parsed.data
    if (routing_key !== routingKey) return invalid("'routing_key' is invalid")
    if (event_action === 'trigger' && !payload) return invalid("'payload' is missing or blank")
    const known = alerts.get(dedup_key)
    if (event_action === 'trigger') {
      if (!known) alerts.set(dedup_key, { state: 'triggered', pages: 1, event: parsed.data })
      else if (known.state === 'resolved') Object.assign(known, { state: 'triggered', pages: known.pages + 1 })
    } else if (known && known.state !== 'resolved')
      known.state = event_action === 'resolve' ? 'resolved' : 'acknowledged'
    return { status: 202, body: { status: 'success', message: 'Event processed', dedup_key } }
  })
  return Object.assign(server, { alerts })
}
