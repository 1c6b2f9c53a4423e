// Spans of time as people type them behind an option: `30m`, `2h`, `1d`.
import { InvalidArgumentError } from 'commander'

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const
type Unit = keyof typeof SECONDS

/** For an option of commander's that takes these units: the span in seconds. */
export const durationIn =
  (units: readonly Unit[]) =>
  (text: string): number => {
    const unit = units.find((one) => text.endsWith(one))
    const number = text.slice(0, -1)
    if (unit === undefined || !/^\d+(?:\.\d+)?$/.test(number))
      throw new InvalidArgumentError(
        `Write a number and ${units.slice(0, -1).join(', ')} or ${units.at(-1)}, as in 30m.`,
      )
    return Number(number) * SECONDS[unit]
  }
