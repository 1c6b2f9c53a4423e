import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { JournalDecoder, JournalEncoder, type JournalEntry, type JournalRow } from './journal-format.ts'

const sample = fc.record({
  name: fc.constantFrom('a', 'b', 'c'),
  labels: fc.constantFrom<[string, string][]>([], [['x', '1']], [['x', 'ü"\n']]),
  value: fc.oneof(fc.double({ noNaN: true }), fc.constant(Infinity)).map((value) => (value === 0 ? 0 : value)),
})
const row: fc.Arbitrary<JournalRow> = fc.record({
  targetKey: fc.constantFrom('t1', 't2'),
  targetLabels: fc.constant({ service: 'cart' }),
  atMs: fc.nat(),
  samples: fc.array(sample, { maxLength: 5 }),
})
const write = (rows: readonly JournalRow[]) => {
  const encoder = new JournalEncoder()
  return rows.map((each) => encoder.encode(each, [{ name: 'a', type: 'counter', help: 'h' }])).join('')
}
const read = (lines: readonly string[]): JournalEntry[] => {
  const decoder = new JournalDecoder()
  return lines.map((line) => decoder.decode(line))
}
const rowsOf = (entries: readonly JournalEntry[]) =>
  entries.flatMap((entry) => (entry.kind === 'row' ? [entry.row] : []))

test('rows come back as they were written', () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 10 }), (rows) => {
      expect(rowsOf(read(write(rows).split('\n')))).toEqual(rows)
    }),
  )
})

test('a file cut at any byte gives the rows before the cut and invents none', () => {
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 6 }), fc.nat(), (rows, cut) => {
      const text = write(rows)
      const found = rowsOf(read(text.slice(0, cut % text.length).split('\n')))
      expect(found).toEqual(rows.slice(0, found.length))
    }),
  )
})

test('lines of any content, in any order, never throw', () => {
  const good = write([{ targetKey: 't', targetLabels: {}, atMs: 1, samples: [{ name: 'a', labels: [], value: 1 }] }])
  const line = fc.oneof(fc.json(), fc.string(), fc.constantFrom(...good.split('\n')))
  fc.assert(fc.property(fc.array(line, { maxLength: 10 }), (lines) => void read(lines)))
})
