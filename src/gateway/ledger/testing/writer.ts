// A process to be killed: opens and settles requests as fast as it can, and writes down in the file `said` what the
// ledger has taken, so that whoever kills it knows what must not be lost. Arguments: the data folder, a prefix for ids.
import { openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { systemClock } from '../../../core/clock.ts'
import { createLog } from '../../../observe/log.ts'
import { createMetrics } from '../../../observe/metrics.ts'
import { createLedger } from '../ledger.ts'
import { decisionText, ledgerRow, servedRow } from './rows.ts'

const [folder = '', prefix = ''] = process.argv.slice(2)
const ledger = createLedger({
  folder: join(folder, 'ledger'),
  database: { file: join(folder, 'midwatch.db') },
  sync: 'background',
  metrics: createMetrics({ process: false }),
  clock: systemClock,
  log: createLog({ level: 'error' }),
  segmentBytes: 100_000,
})

const said = openSync(join(folder, 'said'), 'a')
const underWay: string[] = []
for (let i = 0; ; i++) {
  const id = `${prefix}-${i}`
  ledger.open(ledgerRow(id))
  writeSync(said, `open ${id}\n`)
  underWay.push(id)
  if (underWay.length > 10) {
    const [ended = ''] = underWay.splice(Math.floor(Math.random() * underWay.length), 1)
    void ledger.settle(ledgerRow(ended, { ...servedRow, decision: decisionText }))
    writeSync(said, `settle ${ended}\n`)
  }
  if (i % 20 === 0) await nextTurn()
}
