// Whether calls of models feel that the same process takes in documents: `node bench/knowledge-gateway.ts [--seconds 20] [--rate 20]`.
// Calls come at a steady rate, whether or not earlier ones are answered; one part of the run without an ingest, one with two
// documents at a time sent over HTTP (parsed, cut, embedded by the model that is installed, stored), and one without again.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { askPlainly, openDoor } from './client.ts'
import { chanceFrom, questionBy } from './knowledge-texts.ts'
import { configText } from './midwatch.ts'
import { startChild } from './processes.ts'
import { quantile } from './statistics.ts'

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '20' }, rate: { type: 'string', default: '20' } },
})
const seconds = Number(values.seconds)
const rate = Number(values.rate)
const PARAGRAPHS = 60

const main = join(import.meta.dirname, '../src/main.ts')
const folder = mkdtempSync(join(tmpdir(), 'midwatch-bench-'))
const upstream = await startChild(join(import.meta.dirname, 'upstream.ts'), [])
const file = join(folder, 'midwatch.yaml')
writeFileSync(file, configText(`http://127.0.0.1:${upstream.said}`))
const args = ['keys', 'create', '--name', 'bench', '--scope', 'llm:chat', '--scope', 'rag:write', '--config', file]
const { key } = JSON.parse(execFileSync(process.execPath, [main, ...args, '--json'], { encoding: 'utf8' })) as {
  key: string
}
const midwatch = await startChild(main, ['start', '--config', file, '--roles', 'gateway,rag', '--log-level', 'warn'])
const url = /http:\/\/\S+/.exec(midwatch.said)?.[0] ?? ''
const headers = { authorization: `Bearer ${key}` }
const door = openDoor(url, headers)
try {
  await post('/v1/rag/collections', { name: 'bench' })
  await put(0)
  for (let i = 0; i < 100; i++) await askPlainly(door)
  tell('without an ingest', await calls())
  const ingest = { over: false, documents: 1 }
  const workers = [1, 2].map(async () => {
    while (!ingest.over) await put(ingest.documents++)
  })
  const beside = await calls()
  ingest.over = true
  tell(`while ${ingest.documents - 1} documents are taken in`, beside)
  await Promise.all(workers)
  tell('without an ingest again', await calls())
} finally {
  await door.pool.close()
  await midwatch.stop()
  await upstream.stop()
  rmSync(folder, { recursive: true, force: true })
}

async function calls(): Promise<readonly number[]> {
  const took: Promise<number>[] = []
  const from = performance.now()
  for (let i = 0; i < seconds * rate; i++) {
    await wait(Math.max(0, from + (i * 1000) / rate - performance.now()))
    took.push(askPlainly(door).then(({ tookMs }) => tookMs))
  }
  return Promise.all(took)
}

async function put(number: number): Promise<void> {
  const chance = chanceFrom(number + 1)
  const paragraphs = Array.from({ length: PARAGRAPHS }, () =>
    Array.from({ length: 12 }, () => questionBy(chance)).join('. '),
  )
  await post('/v1/rag/documents', {
    collection: 'bench',
    id: `${number}.md`,
    text: `# ${number}\n\n${paragraphs.join('\n\n')}`,
  })
}

async function post(path: string, body: unknown): Promise<void> {
  const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  await response.arrayBuffer()
}

function tell(what: string, took: readonly number[]): void {
  const [p50, p99] = [quantile(took, 0.5), quantile(took, 0.99)].map((ms) => ms.toFixed(1))
  console.log(`${what}: ${took.length} calls, p50 ${p50} ms, p99 ${p99} ms, at most ${Math.max(...took).toFixed(1)} ms`)
}
