// What code knows of English words: irregular forms, words for the same direction, and words that turn a meaning round. General
// words only, none for the sake of a text that was seen, and in the form that a dictionary has.
import { withoutEnding } from './word-ending.ts'

const FORMS =
  'begin began begun|bind bound|break broke broken|bring brought|build built|buy bought|catch caught|choose chose chosen|come came|' +
  'deal dealt|do did done|draw drew drawn|drive drove driven|fall fell fallen|feed fed|feel felt|find found|fly flew flown|forbid ' +
  'forbade forbidden|forget forgot forgotten|freeze froze frozen|get got gotten|give gave given|go went gone|grow grew grown|hide ' +
  'hid hidden|hold held|keep kept|know knew known|lead led|leave left|lend lent|lose lost|make made|mean meant|meet met|pay paid|' +
  'rise rose risen|run ran|say said|see saw seen|seek sought|sell sold|send sent|shake shook shaken|show shown|shrink shrank shrunk|' +
  'sleep slept|speak spoke spoken|spend spent|stand stood|steal stole stolen|stick stuck|take took taken|teach taught|tell told|' +
  'think thought|use uses used using|throw threw thrown|understand understood|wake woke woken|win won|withdraw withdrew withdrawn|write wrote written|' +
  'child children|foot feet|man men|person people|tooth teeth|woman women'

const IRREGULAR: ReadonlyMap<string, string> = new Map(
  FORMS.split('|').flatMap((line) => {
    const [base = '', ...forms] = line.split(' ')
    return forms.map((form) => [form, base] as const)
  }),
)

/** The form that a dictionary has, where the word is irregular. */
export const baseOf = (word: string): string => {
  const [, before = '', rest = ''] = /^(re|over|under|out|mis)(\w{3,})$/.exec(word) ?? []
  const base = IRREGULAR.get(rest)
  return IRREGULAR.get(word) ?? (base === undefined ? word : before + base)
}

/** Words that say little by themselves: which of them a writer takes is a matter of style. */
const LIGHT = new Set(
  (
    'take have be do get make give go come become keep put let need use hold include contain consist comprise reach stay remain amount mean ' +
    'per also well still then now just already currently possible able start'
  )
    .split(' ')
    .map((word) => withoutEnding(word)),
)

export const isLight = (stem: string): boolean => LIGHT.has(stem)

/** By stem, the stem of the word that says the same. */
export const SAME: ReadonlyMap<string, string> = new Map(
  [
    ['rise', 'increase grow climb raise'],
    ['fall', 'decrease decline reduce shrink diminish'],
    ['allow', 'permit'],
    ['forbid', 'prohibit'],
    ['remove', 'delete erase'],
    ['require', 'need'],
    ['begin', 'start'],
    ['continue', 'proceed'],
    ['stay', 'remain'],
    ['hold', 'contain'],
    ['consent', 'agreement approval'],
    ['month', 'monthly'],
    ['year', 'yearly annual annually'],
    ['day', 'daily'],
    ['week', 'weekly'],
    ['hand', 'manually'],
    ['big', 'large'],
    ['small', 'little'],
    ['quick', 'fast rapid'],
    ['buy', 'purchase'],
    ['repair', 'fix'],
    ['change', 'alter modify'],
    ['show', 'display'],
    ['receive', 'obtain'],
    ['select', 'choose'],
  ].flatMap(([word = '', others = '']) =>
    others.split(' ').map((one) => [withoutEnding(one), withoutEnding(word)] as const),
  ),
)

/** Found in every form that they have. */
const INFLECTED =
  'rise fall|rise lower|enable disable|start stop|start end|start finish|begin end|allow forbid|allow deny|add remove|open close|success ' +
  'failure|succeed fail|pass fail|possible impossible|read write|upgrade downgrade|improve worsen|ascend descend|encrypt decrypt|buy sell|' +
  'gain lose|profit loss|include exclude|accept reject|accept refuse|grant revoke|lock unlock|mount unmount|install uninstall|connect ' +
  'disconnect|attach detach|load unload|public private|incoming outgoing|import export|push pull|positive negative|active inactive|debit ' +
  'credit|deposit withdraw'

/** Found as they stand: without their endings several would be other words, `leader` and `better` among them. */
const STANDING =
  'before after|above below|more fewer|more less|greater less|over under|higher lower|high low|maximum minimum|max min|most least|up down|' +
  'first last|healthy unhealthy|safe unsafe|valid invalid|always never|primary replica|leader follower|internal external|early late|earlier ' +
  'later|better worse|best worst|synchronous asynchronous|required optional|true false|full empty|new old|all none|common rare|often ' +
  'seldom|frequent rare|hot cold|warm cold|long short|longer shorter|large small|larger smaller|fast slow|faster slower|strong weak|' +
  'inbound outbound|ingress egress|input output|present absent|left right|top bottom|surplus deficit'

/** What is lowered falls; what is low does not. */
const keyOf = (inflected: string): string => (inflected === 'lower' ? inflected : withoutEnding(inflected))

const pairsOf = (table: string, key: (word: string) => string): [string, string][] =>
  table.split('|').map((pair) => {
    const [a = '', b = ''] = pair.split(' ')
    return [key(a), key(b)]
  })

/** The opposites of a word or stem, as they are looked up by either. */
export const OPPOSITES: ReadonlyMap<string, readonly string[]> = (() => {
  const map = new Map<string, string[]>()
  for (const [a, b] of [...pairsOf(INFLECTED, keyOf), ...pairsOf(STANDING, (word) => word)]) {
    map.set(a, [...(map.get(a) ?? []), b])
    map.set(b, [...(map.get(b) ?? []), a])
  }
  return map
})()
