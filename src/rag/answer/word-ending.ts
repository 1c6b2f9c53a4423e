// A light stemmer: plural and the endings of verbs. Wrong stems are wrong alike on both sides.

const ENDINGS = [
  'ations',
  'ation',
  'ments',
  'ment',
  'ingly',
  'edly',
  'ing',
  'ions',
  'ion',
  'ed',
  'ly',
  'er',
  'es',
  'e',
  'y',
]

/** Expects small letters. */
export function withoutEnding(word: string): string {
  let stem = word.replace(/'s?$/, '')
  if (stem.length > 3) {
    stem = stem
      .replace(/(?:sses)$/, 'ss')
      .replace(/(?:ies|ied|ying)$/, 'y')
      .replace(/(?<![su])s$/, '')
    // Of "succeed" and "exceed" it is no ending.
    const ending = ENDINGS.find((one) => stem.endsWith(one) && stem.length - one.length >= 3)
    if (ending !== undefined && !stem.endsWith('ceed')) stem = stem.slice(0, -ending.length)
  }
  return stem.replace(/([bdfgklmnprt])\1$/, '$1')
}
