// Stretches of the week in which work is expected to set off alerts, by the wall clock of a place.
import type { Matcher } from '../../core/label-matchers.ts'
import { type Hours, isWithin, wallClock } from '../../core/wall-clock.ts'

export interface MaintenanceWindow extends Hours {
  readonly name: string
  readonly matchers: readonly Matcher[]
  readonly timeZone: string
}

/** Whether a window is open at a moment. */
export const isOpen = (window: Omit<MaintenanceWindow, 'name' | 'matchers'>, atMs: number): boolean =>
  isWithin(window, wallClock(window.timeZone, atMs))
