// `npm run bench:storm`: fifty thousand alerts of which three are real, two `kill -9` in the middle. Prints how many a
// second were accepted, how long the answers took, the memory, and whether the three were found and nothing was lost.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { REAL } from './storm-alerts.ts'
import { runStorm } from './storm-run.ts'

const { values } = parseArgs({
  options: {
    alerts: { type: 'string', default: '50000' },
    kills: { type: 'string', default: '2' },
    senders: { type: 'string', default: '8' },
    /** Spread over so many minutes, as a storm would be; 0: as fast as they are taken. */
    minutes: { type: 'string', default: '0' },
    json: { type: 'boolean', default: false },
  },
})

const folder = mkdtempSync(join(tmpdir(), 'midwatch-storm-'))
const minutes = Number(values.minutes)
const result = await runStorm({
  alerts: Number(values.alerts),
  kills: Number(values.kills),
  senders: Number(values.senders),
  folder,
  foldedWithinMs: 30 * 60_000,
  ...(minutes > 0 ? { overMs: minutes * 60_000 } : {}),
}).finally(() => rmSync(folder, { recursive: true, force: true }))

const found = REAL.filter((service) => result.incidents.some((incident) => incident.service === service))
const good =
  found.length === REAL.length && result.lost.length === 0 && result.doubled.length === 0 && result.unfolded === 0
if (values.json) console.log(JSON.stringify({ ...result, found, good }))
else {
  const { p50, p99, max } = result.answerMs
  console.log(
    `accepted     ${Math.round(result.acceptedPerSecond)} alerts/s (${Math.round(result.acceptedPerSecond * 60)} a minute)`,
  )
  if (result.cpuMsPerAlert !== undefined)
    console.log(`processor    ${result.cpuMsPerAlert.toFixed(2)} ms an alert, taken and folded`)
  console.log(`answered in  ${p50.toFixed(1)} ms (median), ${p99.toFixed(1)} ms (p99), ${max.toFixed(0)} ms (longest)`)
  console.log(
    `folded       ${(result.foldedAfterMs / 1000).toFixed(1)} s after the last was accepted: ${JSON.stringify(result.decisions)}`,
  )
  console.log(
    `memory       ${result.peakBytes === undefined ? 'unknown' : `${Math.round(result.peakBytes / 1e6)} MB at most`}`,
  )
  console.log(
    `incidents    ${result.incidents.length}: ${result.incidents.map(({ service, severity }) => `${service ?? 'no service'} (${severity})`).join(', ')}`,
  )
  console.log(`real ones    ${found.length} of ${REAL.length} found`)
  console.log(
    `lost ${result.lost.length}, doubled ${result.doubled.length}, unfolded ${result.unfolded}, sent again ${result.sentAgain}`,
  )
}
process.exitCode = good ? 0 : 1
