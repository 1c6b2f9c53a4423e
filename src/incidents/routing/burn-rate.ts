// How fast an error budget is burnt: 1 is the pace that uses up exactly all of it in the objective's window. Each level looks
// at a long window, for how much is gone, and at a twelfth of it, for whether it still goes on. Pure.
// Multiwindow, multi-burn-rate alerts: B. Beyer et al., The Site Reliability Workbook (2018), chapter 5.
// https://sre.google/workbook/alerting-on-slos/

export type BurnLevel = 'critical' | 'error' | 'warning'

export interface BurnWindow {
  readonly level: BurnLevel
  readonly longMs: number
  readonly shortMs: number
  /** Of the whole budget, when the long window burns at the threshold. */
  readonly budgetShare: number
}

const HOUR_MS = 3_600_000

/** The worst first. */
export const BURN_WINDOWS: readonly BurnWindow[] = [
  { level: 'critical', longMs: HOUR_MS, shortMs: HOUR_MS / 12, budgetShare: 0.02 },
  { level: 'error', longMs: 6 * HOUR_MS, shortMs: HOUR_MS / 2, budgetShare: 0.05 },
  { level: 'warning', longMs: 72 * HOUR_MS, shortMs: 6 * HOUR_MS, budgetShare: 0.1 },
]

/** Steps in which a long window is read: each is a short one. */
export const STEPS = 12

/** What a window says: shares of what was bad, 0 to 1; null where there is nothing to go by. */
export interface Shares {
  readonly long: number | null
  readonly short: number | null
  /** How many were bad in the long window; null where only the share is known. */
  readonly badInLong: number | null
}

export interface Burn {
  readonly window: BurnWindow
  /** 14.4 with a window of 30 days and the first level. */
  readonly threshold: number
  readonly long: number | null
  readonly short: number | null
  readonly burning: boolean
  /** In how long the long window passes the threshold if the short one goes on as it does; null: it does not. */
  readonly burningInMs: number | null
}

/** With fewer bad ones than this in the long window a share says little: one in three is no outage. */
const LEAST_BAD = 5

/** `target` in percent. In the order of `BURN_WINDOWS`. */
export function burnsOf(
  { target, windowDays }: { readonly target: number; readonly windowDays: number },
  shares: readonly Shares[],
): readonly Burn[] {
  const budget = 1 - target / 100
  return BURN_WINDOWS.map((window, i): Burn => {
    const { long = null, short = null, badInLong = null } = shares[i] ?? {}
    const threshold = (window.budgetShare * windowDays * 24 * HOUR_MS) / window.longMs
    const pace = (share: number | null): number | null => (share === null ? null : share / budget)
    const [inLong, inShort] = [pace(long), pace(short)]
    const enough = badInLong === null || badInLong >= LEAST_BAD
    const burning = enough && (inLong ?? 0) >= threshold && (inShort ?? 0) >= threshold
    const burningInMs =
      enough && !burning && inLong !== null && inShort !== null && inShort >= threshold && inShort > inLong
        ? ((threshold - inLong) / inShort) * window.longMs
        : null
    return { window, threshold, long: inLong, short: inShort, burning, burningInMs }
  })
}

/**
 * The shares of a window out of rates at its steps, the latest last. A step without a number says nothing. The long window
 * needs half of its steps, the short one the last.
 */
export function sharesOf(
  steps: readonly { readonly bad: number | null; readonly total: number | null }[],
  stepMs: number,
): Shares {
  const known = steps.flatMap(({ bad, total }) => (total === null ? [] : [{ bad: bad ?? 0, total }]))
  const sum = (of: (step: { bad: number; total: number }) => number): number =>
    known.reduce((all, one) => all + of(one), 0)
  const last = steps.at(-1)
  const share = (bad: number, total: number): number | null => (total > 0 ? Math.min(1, bad / total) : null)
  const isEnough = known.length >= STEPS / 2
  return {
    long: isEnough
      ? share(
          sum(({ bad }) => bad),
          sum(({ total }) => total),
        )
      : null,
    short: last && last.total !== null ? share(last.bad ?? 0, last.total) : null,
    badInLong: isEnough ? (sum(({ bad }) => bad) * stepMs) / 1000 : null,
  }
}
