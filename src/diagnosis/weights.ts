// How much each group of evidence counts, as a factor on the weights that the rules state: 1 is what was set by hand. Factors can
// be fitted as a conditional logit over the services of a case (McFadden, "Conditional logit analysis of qualitative choice
// behavior", 1974), held near 1 by a normal prior. None ships: `bench/diagnosis.ts --leave-one-out` fits them without each set in
// turn, and on the set that they have not seen they were worth less than what was set by hand.

/** By group: the part of a finding's aspect before its colon. A group that is not listed counts as stated. */
export type Weights = Readonly<Record<string, number>>

export const groupOf = (aspect: string): string => aspect.split(':')[0] ?? aspect

export const weightOf = (weights: Weights, aspect: string): number => weights[groupOf(aspect)] ?? 1
