// What an entry of the action catalogue does, in the words that people and policies use for it.
export const ACTION_KINDS = [
  'roll-back',
  'restart',
  'scale',
  'toggle', // a feature flag or a setting
  'shift-traffic', // away from a place, or back to it
  'limit', // raise or lower one
  'drain', // take an instance, a node or a queue out of service
  'command', // whatever else a declared command does
] as const

/** How a number that was asked for is compared with the one that is wanted. */
export const COMPARISONS = ['<', '<=', '==', '!=', '>=', '>'] as const
export type Comparison = (typeof COMPARISONS)[number]
