// Declared URLs that are probed: what a sampler looks at, under the names that blackbox_exporter has.
import { readFile } from 'node:fs/promises'
import { sha256Hex } from '../../core/hash.ts'
import type { Secret } from '../../core/secret.ts'
import { endpointOf } from '../endpoint.ts'
import type { Place } from '../sampling/sampler.ts'
import type { Family, Sample } from '../sampling/sample.ts'
import { type Phase, probe } from './probe.ts'

export interface DeclaredProbe {
  readonly service: string
  readonly url: string
  readonly timeoutSeconds: number
  readonly expectStatus?: readonly number[] | undefined
  readonly expectBody?: string | undefined
  readonly headers: Readonly<Record<string, Secret>>
  readonly caFile?: string | undefined
}

const FAMILIES: readonly Family[] = [
  { name: 'probe_success', type: 'gauge', help: 'Whether it answered as it should.' },
  { name: 'probe_duration_seconds', type: 'gauge', help: 'Time of the whole probe.' },
  { name: 'probe_http_duration_seconds', type: 'gauge', help: 'Time of each phase.' },
  { name: 'probe_http_status_code', type: 'gauge', help: 'Status of the answer.' },
  { name: 'probe_ssl_earliest_cert_expiry', type: 'gauge', help: 'When its certificate ends, seconds since 1970.' },
]

export function probePlaces(probes: readonly DeclaredProbe[]): readonly Place[] {
  return probes.map((declared): Place => {
    const { service, expectStatus, expectBody, caFile } = declared
    const endpoint = endpointOf(declared.url)
    const { host, pathname } = new URL(endpoint.url)
    const instance = `${host}${pathname}`
    const headers = {
      ...endpoint.headers,
      ...Object.fromEntries(Object.entries(declared.headers).map(([name, value]) => [name, value.reveal()])),
    }
    return {
      // It is kept on the disk, and an address may have a token in it.
      key: `probe ${service} ${sha256Hex(endpoint.url).slice(0, 16)}`,
      labels: { service, instance },
      detail: { service, probe: instance },
      async look(_atMs, signal) {
        // Read each time: a mounted file is renewed under way.
        const ca = caFile === undefined ? undefined : await readFile(caFile, 'utf8')
        const timeoutMs = declared.timeoutSeconds * 1000
        const probed = await probe({ url: endpoint.url, headers, timeoutMs, expectStatus, expectBody, ca }, signal)
        const samples: Sample[] = [
          { name: 'probe_success', labels: [], value: probed.problem === '' ? 1 : 0 },
          { name: 'probe_duration_seconds', labels: [], value: probed.tookMs / 1000 },
        ]
        for (const [phase, ms] of Object.entries(probed.phasesMs) as [Phase, number][])
          samples.push({ name: 'probe_http_duration_seconds', labels: [['phase', phase]], value: ms / 1000 })
        if (probed.status !== undefined)
          samples.push({ name: 'probe_http_status_code', labels: [], value: probed.status })
        if (probed.certificateEndsMs !== undefined)
          samples.push({ name: 'probe_ssl_earliest_cert_expiry', labels: [], value: probed.certificateEndsMs / 1000 })
        return { problem: probed.problem, samples, families: FAMILIES }
      },
    }
  })
}
