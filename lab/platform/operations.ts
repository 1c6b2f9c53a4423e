// The journal of what was asked for over HTTP. A key is carried out once: whoever asks again gets the same answer, also
// while the first one is still under way.
import { AppError, describeError } from '../../src/core/errors.ts'
import type { Operation } from './platform.ts'

export interface Asked {
  readonly key: string
  readonly action: Operation['action']
  readonly target: string
  readonly to: string | undefined
}

export interface OperationJournal {
  /** Carries `work` out unless the key is known; resolves when it is done or has failed. */
  run(asked: Asked, work: () => Promise<string>): Promise<Operation>
  find(key: string): Operation | undefined
  all(): readonly Operation[]
}

interface Entry {
  operation: Operation
  readonly finished: Promise<void>
}

export function createOperationJournal(now: () => number = Date.now): OperationJournal {
  const entries = new Map<string, Entry>()

  const begin = (asked: Asked, work: () => Promise<string>): Entry => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { key, action, target, to } = asked
    const operation: Operation = {
      key,
      action,
      target,
      ...(to === undefined ? {} : { to }),
      state: 'running',
      carriedOut: 0,
      asked: 1,
      startedAt: now(),
    }
    const entry: Entry = { operation, finished: promise }
    entries.set(key, entry)
    const finish = (state: 'done' | 'failed', detail: string) => {
      const carriedOut = entry.operation.carriedOut + (state === 'done' ? 1 : 0)
      entry.operation = { ...entry.operation, state, detail, carriedOut, finishedAt: now() }
      resolve()
    }
    work().then(
      (detail) => finish('done', detail),
      (error: unknown) => finish('failed', describeError(error)),
    )
    return entry
  }
  return {
    run: async (asked, work) => {
      let entry = entries.get(asked.key)
      if (entry) {
        const { action, target } = entry.operation
        if (action !== asked.action || target !== asked.target)
          throw new AppError('conflict', `The key ${asked.key} was used for ${action} of ${target} before.`)
        entry.operation = { ...entry.operation, asked: entry.operation.asked + 1 }
      } else {
        entry = begin(asked, work)
      }
      await entry.finished
      return entry.operation
    },
    find: (key) => entries.get(key)?.operation,
    all: () => [...entries.values()].map((entry) => entry.operation),
  }
}
