// What folding goes by, made of `agent.folding`: times in ms, matchers compiled.
import type { FoldingSettings } from '../../config/folding-schema.ts'
import { parseMatcher } from '../../core/label-matchers.ts'
import type { FoldingRules } from './decide.ts'
import type { FlappingRules } from './flapping.ts'
import { readInhibition } from './inhibition.ts'
import type { MuteRules } from './mute.ts'

export interface FoldingConfig extends FoldingRules, MuteRules {
  /** Labels whose values, when the same, make one incident. */
  readonly groupBy: readonly string[]
  /** How long an incident collects alerts before it is looked at. */
  readonly groupWaitMs: number
  /** How long after new alerts joined it is looked at again. */
  readonly groupIntervalMs: number
  /** An alert that fires and was not delivered again for this long counts as ended. */
  readonly silentAfterMs: number
  /** 0: a closed incident stays closed. */
  readonly reopenWithinMs: number
  readonly flapping: FlappingRules
}

export const readFoldingConfig = (settings: FoldingSettings): FoldingConfig => ({
  groupBy: settings.groupBy,
  groupWaitMs: settings.groupWaitSeconds * 1000,
  groupIntervalMs: settings.groupIntervalSeconds * 1000,
  windowMs: settings.windowSeconds * 1000,
  silentAfterMs: settings.silentAfterSeconds * 1000,
  reopenWithinMs: settings.reopenWithinSeconds * 1000,
  textSimilarity: settings.textSimilarity,
  flapping: {
    times: settings.flapping.times,
    windowMs: settings.flapping.windowSeconds * 1000,
    stableMs: settings.flapping.stableSeconds * 1000,
  },
  maintenance: settings.maintenance.map((window) => ({ ...window, matchers: window.matchers.map(parseMatcher) })),
  inhibit: readInhibition(settings.inhibit),
})
