// What happens between two stories: the shop runs well, and whoever watches sees that it does.
import { setTimeout as wait } from 'node:timers/promises'
import type { Keys } from './keys.ts'
import type { Lab } from './lab.ts'
import type { Narrator } from './narrator.ts'
import type { Random } from './platform/random.ts'
import { openIncidents, waitForQuiet } from './walk.ts'

interface Interlude {
  readonly lab: Lab
  readonly narrator: Narrator
  readonly signal: AbortSignal
}

const QUIET_MS = 120_000

/** A healthy while: the past that Midwatch compares with. A harmless release goes out in it, as on any working day. */
export async function steady(
  { lab, narrator, random, signal }: Interlude & { readonly random: Random },
  ms: number,
): Promise<void> {
  const startedMs = Date.now()
  narrator.event(
    startedMs,
    `The shop is up: eleven services and the people who shop there. For ${ms / 1000} s all is well; Midwatch sees what normal looks like. Then something breaks.`,
  )
  let released = false
  while (Date.now() - startedMs < ms) {
    const { recentPerSecond, recentFailedShare, recentMeanMs } = lab.platform.loadStats()
    const left = Math.ceil((startedMs + ms - Date.now()) / 1000)
    narrator.status(
      `${left} s to go · ${recentPerSecond.toFixed(0)} requests/s · ${(recentFailedShare * 100).toFixed(1)} % fail · ${recentMeanMs.toFixed(0)} ms`,
    )
    if (!released && Date.now() - startedMs > ms / 2) {
      released = true
      const { service } = await lab.platform.harmlessDeploy(random)
      narrator.event(Date.now(), `A new release of ${service} went out. It does no harm.`)
    }
    await wait(1000, undefined, { signal })
  }
  await alreadyWrong({ lab, narrator, signal })
}

/** On a machine that is busy with other things the shop can be slow although nothing was broken: that is said. */
async function alreadyWrong({ lab, narrator, signal }: Interlude): Promise<void> {
  const [first] = await openIncidents(lab.agent)
  if (!first) return
  narrator.event(
    Date.now(),
    `Incident ${first.number} is open although nothing was broken: ${first.sentence} This machine may be busy with something else. The lab waits until it is over.`,
    'notice',
  )
  await waitForQuiet(lab.agent, { untilMs: Date.now() + QUIET_MS, signal })
}

/** Waits for a key, telling how the shop does meanwhile. */
export async function pressed(
  wanted: string,
  { keys, lab, narrator, signal }: Interlude & { readonly keys: Keys },
): Promise<void> {
  const there = new AbortController()
  const stop = keys.listen((key) => {
    if (key === wanted) there.abort()
  })
  try {
    while (!there.signal.aborted) {
      const { recentPerSecond, recentFailedShare } = lab.platform.loadStats()
      narrator.status(
        `the shop is well · ${recentPerSecond.toFixed(0)} requests/s · ${(recentFailedShare * 100).toFixed(1)} % fail · ${wanted} breaks something else`,
      )
      await wait(500, undefined, { signal })
    }
  } finally {
    stop()
  }
}
