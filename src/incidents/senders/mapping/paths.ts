// Where something stands in a JSON value: `alert.title`, `items[0].name`, `labels["a.b"]`, `events[*]` for every item. Only
// what an object has itself is found, never what it inherits.
import { isObject, opened } from '../loose.ts'

/** The name of a field, the place in a list, or `*` for all of either. */
export type Step = string | number

const STEP = /\[(?:(\d+)|(\*)|"([^"]+)")\]|\.?([^.[\]"]+)/g

/** The steps of a path whose form the config has checked. */
export function parsePath(path: string): readonly Step[] {
  const steps: Step[] = []
  for (const [, index, all, quoted, plain] of path.replace(/^\$\.?/, '').matchAll(STEP))
    steps.push(index !== undefined ? Number(index) : (all ?? quoted ?? plain ?? ''))
  return steps
}

/** Everything that stands at the path, in order; nothing where there is nothing. */
export function valuesAt(value: unknown, steps: readonly Step[]): readonly unknown[] {
  let found: readonly unknown[] = [value]
  for (const step of steps) found = found.flatMap((each) => next(opened(each), step))
  return found.filter((each) => each !== undefined && each !== null)
}

function next(value: unknown, step: Step): readonly unknown[] {
  if (Array.isArray(value)) {
    if (step === '*') return value
    const index = typeof step === 'number' ? step : /^\d+$/.test(step) ? Number(step) : undefined
    return index === undefined ? [] : [value[index]]
  }
  if (!isObject(value)) return []
  if (step === '*') return Object.values(value)
  const key = String(step)
  return Object.hasOwn(value, key) ? [value[key]] : []
}
