// English words without their endings, roughly: enough to see that two texts speak of the same thing. The indexes have stemmers
// of their own, to which nothing here needs to be equal.

/** Expects small letters. */
export function stem(word: string): string {
  if (word.length <= 3 || /\d/.test(word)) return word
  let short = word
  if (short.endsWith('ies') && short.length > 4) short = `${short.slice(0, -3)}y`
  else if (/(?:ss|sh|ch|x|z)es$/.test(short)) short = short.slice(0, -2)
  else if (short.endsWith('s') && !/(?:ss|us|is)$/.test(short)) short = short.slice(0, -1)
  for (const ending of ['ing', 'ed']) {
    if (!short.endsWith(ending)) continue
    const rest = short.slice(0, -ending.length)
    if (rest.length >= 3 && /[aeiouy]/.test(rest)) short = /([^aeiouls])\1$/.test(rest) ? rest.slice(0, -1) : rest
    break
  }
  return short.length > 4 && short.endsWith('e') ? short.slice(0, -1) : short
}
