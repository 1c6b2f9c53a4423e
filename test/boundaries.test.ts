import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { checkBoundaries } from './boundaries.ts'
import { tempFolder } from './temp.ts'

function tree(files: Readonly<Record<string, string>>): string {
  const root = tempFolder()
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  return root
}

const check = (files: Readonly<Record<string, string>>) => checkBoundaries(tree(files)).violations

it('refuses an import that the table does not allow, also of a type and also when it is dynamic', () => {
  const gateway = { 'src/gateway/a.ts': 'export type A = 1' }
  for (const line of [
    `import { A } from '../gateway/a.ts'`,
    `import type { A } from '../gateway/a.ts'`,
    `export * from '../gateway/a.ts'`,
    `export const a = () => import('../gateway/a.ts')`,
  ]) {
    expect(check({ ...gateway, 'src/incidents/b.ts': line })).toEqual([
      expect.stringContaining('src/incidents/b.ts imports src/gateway/a.ts: incidents/ may import only'),
    ])
  }
  expect(check({ ...gateway, 'src/http/b.ts': `import { A } from '../gateway/a.ts'` })).toEqual([])
})

it('reads TSX, and keeps the page to types and views', () => {
  const files = {
    'src/db/a.ts': 'export const a = 1',
    'web/page.tsx': `import { a } from '../src/db/a.ts'\nexport const P = () => <p>{a}</p>`,
  }
  expect(check(files)).toEqual(['web/page.tsx imports src/db/a.ts: web/ may not take this from src/'])
})

it('keeps adapters of one kind apart', () => {
  const files = {
    'src/providers/x/a.ts': 'export const a = 1',
    'src/providers/y/b.ts': `export { a } from '../x/a.ts'`,
  }
  expect(check(files)).toEqual([expect.stringContaining('one of providers/ may not import another')])
})

it('tells imports that go in a circle, unless only types do', () => {
  const circle = (word: string) => ({
    'src/core/a.ts': `import ${word} { b } from './b.ts'\nexport const a = 1`,
    'src/core/b.ts': `import { a } from './a.ts'\nexport const b = 1`,
  })
  expect(check(circle(''))).toEqual(['imports go in a circle: src/core/a.ts → src/core/b.ts → src/core/a.ts'])
  expect(check(circle('type'))).toEqual([])
})

it('fails on what it cannot read or follow, instead of passing it', () => {
  expect(() => check({ 'src/core/a.ts': 'const = ;' })).toThrow()
  expect(check({ 'src/core/a.ts': `import './gone.ts'` })).toEqual([
    'src/core/a.ts imports src/core/gone.ts, which is not there',
  ])
  expect(check({ 'src/new/a.ts': `import '../core/b.ts'`, 'src/core/b.ts': '' })).toEqual([
    expect.stringContaining('src/new/ is not in the table'),
  ])
})
