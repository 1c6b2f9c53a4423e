// An online miner of log templates. Lines are equal once the kinds of value that programs print are masked, or they differ in
// words, and then a word is a constant of its template unless the lines show otherwise: at its place stand many different
// words, all else being equal, or a masked value. (Drain by He and others, ICWS 2017, joins lines that are similar enough and so
// joins "VM started" and "VM paused"; that few different words are constants and many are variables is how AEL, Jiang and others,
// JSEP 2008, IPLoM, Makanju and others, KDD 2009, and Brain, Yu and others, TSC 2023, tell them apart.)
// One pass; memory is bounded: past the bounds a line that is like none falls into one group for each length.
import { type Tokens, textOf } from './log-token-writer.ts'
import { tokenize } from './log-tokens.ts'
import { VARIABLE } from './log-values.ts'

export interface Template {
  readonly id: number
  /** With `<*>` where lines differ. Becomes more general as lines join. */
  readonly text: string
}

export interface MinerOptions {
  /** So many different words at one place are a variable. */
  readonly distinctWords?: number
  /** As many are enough when all of them look like names: with a dot or a number. */
  readonly distinctNames?: number
  /** So many other words must be equal for a word to join a masked value at the same place. */
  readonly leastContext?: number
}

/** Of all templates, with those that joined others. */
const MAX_TEMPLATES = 10_000
/** Of one length and first token. */
const MAX_SIBLINGS = 300
/** Lines, masked, whose template is remembered. */
const MAX_KNOWN = 20_000
/** Two lines may differ in so many places. */
const MAX_DIFFERENCES = 3
/** Words that vary together at several places have to be so many times as different: states change from few to few. */
const SEVERAL_PLACES = 2

interface Group extends Tokens {
  readonly id: number
  /** It became part of that. */
  joined?: Group
}

export class TemplateMiner {
  readonly #options: Required<MinerOptions>
  readonly #known = new Map<string, Group>()
  readonly #siblings = new Map<string, Group[]>()
  readonly #groups: Group[] = []
  readonly #overflow = new Map<number, Group>()

  constructor({ distinctWords = 5, distinctNames = 3, leastContext = 2 }: MinerOptions = {}) {
    this.#options = { distinctWords, distinctNames, leastContext }
  }

  /** The id of the line's template. Ids count up from 1 in order of first appearance; the older stays when two become one. */
  add(line: string): number {
    const tokens = tokenize(line)
    const masked = tokens.texts.join(' ')
    const known = this.#known.get(masked)
    if (known) return rootOf(known).id
    const group = this.#findOrAdd(tokens)
    if (this.#known.size >= MAX_KNOWN) this.#known.clear()
    this.#known.set(masked, group)
    return group.id
  }

  /** The id that stands now for one given before: another when its template became part of an older one. */
  currentId(id: number): number {
    const group = this.#groups[id - 1]
    return group ? rootOf(group).id : id
  }

  /** The template as it stands now; undefined for an id that was never given. */
  findTemplate(id: number): Template | undefined {
    const group = this.#groups[id - 1]
    if (!group) return undefined
    const root = rootOf(group)
    return { id: root.id, text: textOf(root) }
  }

  #findOrAdd(tokens: Tokens): Group {
    const place = `${tokens.texts.length} ${tokens.texts[0] ?? ''}`
    const siblings = this.#siblings.get(place) ?? []
    const covering = siblings.find((one) => covers(one, tokens))
    if (covering) return covering
    if (this.#groups.length >= MAX_TEMPLATES || siblings.length >= MAX_SIBLINGS) return this.#overflowOf(tokens)
    const group = this.#newGroup(tokens)
    siblings.push(group)
    this.#siblings.set(place, siblings)
    return this.#generalise(group, siblings)
  }

  #newGroup({ texts, kinds, gaps }: Tokens): Group {
    const group = { id: this.#groups.length + 1, texts, kinds, gaps }
    this.#groups.push(group)
    return group
  }

  #overflowOf({ texts, gaps }: Tokens): Group {
    const before = this.#overflow.get(texts.length)
    if (before) return before
    const group = this.#newGroup({ texts: texts.map(() => VARIABLE), kinds: texts.map(() => 'variable'), gaps })
    this.#overflow.set(texts.length, group)
    return group
  }

  /** Makes one of the new group and its siblings if the words in which they differ are shown to be a variable. */
  #generalise(group: Group, siblings: Group[]): Group {
    const near = siblings
      .flatMap((other) => {
        const at = other === group ? undefined : differences(group, other)
        return at ? [{ other, at }] : []
      })
      .sort((a, b) => a.at.length - b.at.length)
    const words = group.kinds.filter((kind) => kind === 'word').length
    const tried = new Set<string>()
    for (const { other, at } of near) {
      if (words - at.length >= this.#options.leastContext && at.every((i) => isValue(group, i) || isValue(other, i)))
        return joinAll([group, other], at, siblings)
      const places = at.join()
      if (tried.has(places)) continue
      tried.add(places)
      const alike = near.filter((one) => one.at.every((i) => at.includes(i))).map((one) => one.other)
      const all = [group, ...alike]
      if (at.every((i) => this.#isVariable(all, i, at.length))) return joinAll(all, at, siblings)
    }
    return group
  }

  #isVariable(groups: readonly Group[], at: number, places: number): boolean {
    const { distinctWords, distinctNames } = this.#options
    const words = new Set(groups.map(({ texts }) => texts[at] ?? ''))
    if (places > 1) return words.size >= SEVERAL_PLACES * distinctWords
    return words.size >= distinctWords || (words.size >= distinctNames && [...words].every(looksLikeName))
  }
}

/** The line with what looks variable masked: equal for most lines of one template. */
export function mask(line: string): string {
  return textOf(tokenize(line))
}

const looksLikeName = (word: string): boolean => word.includes('.') || word.includes(VARIABLE)

const isValue = ({ kinds }: Group, at: number): boolean => kinds[at] === 'variable' || kinds[at] === 'quantity'

function rootOf(group: Group): Group {
  let root = group
  while (root.joined) root = root.joined
  return root
}

/** Whether the template stands for the line as it is. */
function covers({ texts }: Group, line: Tokens): boolean {
  for (let i = 1; i < texts.length; i++)
    if (texts[i] !== line.texts[i] && (texts[i] !== VARIABLE || line.kinds[i] === 'mark')) return false
  return true
}

/** The places at which two groups of one length have different words; undefined when they differ too much or in anything else. */
function differences(a: Group, b: Group): number[] | undefined {
  const at: number[] = []
  let words = 0
  for (let i = 1; i < a.texts.length; i++) {
    if (a.kinds[i] === 'word') words++
    if (a.texts[i] === b.texts[i]) continue
    // What stands before = is a key: no value.
    if (a.kinds[i] === 'mark' || b.kinds[i] === 'mark' || a.texts[i + 1] === '=') return undefined
    at.push(i)
    if (at.length > MAX_DIFFERENCES) return undefined
  }
  return at.length <= words + 1 ? at : undefined
}

/** Makes the oldest of the groups stand for all, and for whatever else it covers now. */
function joinAll(groups: readonly Group[], at: readonly number[], siblings: Group[]): Group {
  const root = groups.reduce((oldest, one) => (one.id < oldest.id ? one : oldest))
  for (const i of at) {
    root.texts[i] = VARIABLE
    root.kinds[i] = 'variable'
  }
  const rest = siblings.filter((one) => one === root || !covers(root, one))
  for (const one of siblings) if (one !== root && covers(root, one)) one.joined = root
  siblings.splice(0, siblings.length, ...rest)
  return root
}
