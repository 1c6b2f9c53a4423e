// An online miner of log templates after Drain (He, Zhu, Zheng and Lyu, "Drain: an online log parsing approach with fixed
// depth tree", ICWS 2017): tokens that look variable are masked, lines are routed by length and first token, and join the
// group they agree with most. One pass, bounded memory: beyond the bound, lines fall into one group for each length.

const VARIABLE = '<*>'
/** Lines agreeing in at least this share of their tokens are of one template. */
const SIMILARITY = 0.55
const MAX_TOKENS = 60
const MAX_TEMPLATES = 4000
/** Of one length and first word; further lines join the nearest. */
const MAX_SIBLINGS = 200

/** Masked before tokens are compared, in this order. */
const MASKS: readonly (readonly [RegExp, string])[] = [
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, VARIABLE],
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?\b/g, VARIABLE],
  [/\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b/g, VARIABLE],
  [/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b/g, VARIABLE],
  [/\b0x[0-9a-f]+\b/gi, VARIABLE],
  [/\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{6,}\b/gi, VARIABLE],
  [/(?<!\w)[-+]?\d+(?:\.\d+)?(?!\w)/g, VARIABLE],
  [/(?<!\w)\d+(?:\.\d+)?(?=(?:ms|s|us|ns|m|h|kb|mb|gb|b|%)\b)/gi, VARIABLE],
]

export interface Template {
  readonly id: number
  /** With `<*>` where lines differ. Becomes more general as lines join. */
  readonly text: string
}

interface Group {
  readonly id: number
  tokens: string[]
}

export class TemplateMiner {
  readonly #groups = new Map<string, Group[]>()
  readonly #templates: Group[] = []

  /** The id of the line's template. Ids count up from 1 in order of first appearance. */
  add(line: string): number {
    return this.addMasked(mask(line))
  }

  /** The same for a line whose variables are masked already. */
  addMasked(line: string): number {
    const tokens = line.split(' ', MAX_TOKENS)
    const key = routeOf(tokens)
    const known = this.#groups.get(key) ?? []
    const full = known.length >= MAX_SIBLINGS || (this.#templates.length >= MAX_TEMPLATES && known.length > 0)
    let best: Group | undefined
    let bestShare = full ? -1 : SIMILARITY - 1e-9
    for (const group of known) {
      const share = agreement(group.tokens, tokens)
      if (share > bestShare) [best, bestShare] = [group, share]
    }
    if (best) {
      best.tokens = best.tokens.map((token, i) => (token === tokens[i] ? token : VARIABLE))
      return best.id
    }
    const group: Group = { id: this.#templates.length + 1, tokens }
    if (this.#templates.length >= MAX_TEMPLATES) group.tokens = tokens.map(() => VARIABLE)
    this.#templates.push(group)
    known.push(group)
    this.#groups.set(key, known)
    return group.id
  }

  /** The template as it stands now; undefined for an id that was never given. */
  findTemplate(id: number): Template | undefined {
    const group = this.#templates[id - 1]
    return group && { id, text: group.tokens.join(' ') }
  }
}

/** The line with what looks variable masked, and single spaces: equal for most lines of one template. */
export function mask(line: string): string {
  let masked = line.length > 2000 ? line.slice(0, 2000) : line
  for (const [pattern, variable] of MASKS) masked = masked.replace(pattern, variable)
  return masked.trim().replaceAll(/\s+/g, ' ')
}

/** Length and first constant token: the two layers of Drain's tree that carry almost all of its speed. */
function routeOf(tokens: readonly string[]): string {
  const first = tokens.find((token) => !token.includes(VARIABLE)) ?? VARIABLE
  return `${tokens.length}\u0000${/\d/.test(first) ? VARIABLE : first}`
}

/** The share of positions at which the line has the template's constant; a variable agrees with anything, by half. */
function agreement(template: readonly string[], tokens: readonly string[]): number {
  let same = 0
  for (let i = 0; i < template.length; i++) {
    if (template[i] === tokens[i]) same += 1
    else if (template[i] === VARIABLE) same += 0.5
  }
  return same / template.length
}
