import { expect, it } from 'vitest'
import { TemplateStream } from './template-stream.ts'

const NAMES = ['anna', 'ben', 'carla', 'dino', 'eva', 'finn']
const line = (name: string) => `password refused for ${name} by door 2`

it('gives every line its number, in order, across what is held back', () => {
  const stream = new TemplateStream(4)
  const given: number[] = []
  for (let i = 0; i < 10; i++)
    if (stream.add(`disk ${i} is full`)) given.push(...[...stream.release()].map((one) => one.line))
  given.push(...[...stream.release()].map((one) => one.line))
  expect(given).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  expect([...stream.release()]).toEqual([])
})

it('gives a line the template that later lines showed it to have', () => {
  const stream = new TemplateStream()
  for (const name of NAMES) stream.add(line(name))
  expect([...stream.release()].map(({ id, template }) => `${id} ${template}`)).toEqual(
    NAMES.map(() => '1 password refused for <*> by door <*>'),
  )
})

it('gives later lines the oldest id, so that what was told already stays true', () => {
  const stream = new TemplateStream(3)
  const ids = NAMES.flatMap((name) => (stream.add(line(name)) ? [...stream.release()].map(({ id }) => id) : []))
  expect(ids).toEqual([1, 2, 3, 1, 1, 1])
})
