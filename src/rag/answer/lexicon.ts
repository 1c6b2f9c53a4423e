// What code knows of English words: irregular forms, words for the same direction, and words that turn a meaning round. General
// words only, none for the sake of a text that was seen.

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
export const baseOf = (word: string): string => IRREGULAR.get(word) ?? word

/** Stems that say the same of a quantity. */
export const SAME: ReadonlyMap<string, string> = new Map([
  ...['increas', 'grow', 'climb', 'rais'].map((stem) => [stem, 'ris'] as const),
  ...['decreas', 'declin', 'reduc', 'shrink', 'diminish'].map((stem) => [stem, 'fall'] as const),
])

/** Words or stems, as `opposites` are looked up by either. */
const PAIRS =
  'before after|above below|more fewer|more less|greater less|over under|higher lower|high low|maximum minimum|max min|most least|' +
  'ris fall|ris lower|enabl disabl|start stop|start end|start finish|begin end|allow forbid|allow den|add remov|up down|first last|' +
  'open clos|success failur|succeed fail|pass fail|healthy unhealthy|safe unsafe|valid invalid|possibl impossibl|always never|primary ' +
  'replica|leader follower|read writ|upgrad downgrad|internal external|early late|earlier later|improv worsen|better worse|best worst|' +
  'synchronous asynchronous|required optional|ascend descend|encrypt decrypt|true false|full empty|new old|all none|common rare|often ' +
  'seldom|frequent rare|buy sell|gain los|profit loss|includ exclud|accept reject|accept refus|grant revok|lock unlock|mount unmount|' +
  'install uninstall|connect disconnect|attach detach|load unload|hot cold|warm cold|long short|longer shorter|large small|larger ' +
  'smaller|fast slow|faster slower|strong weak|public privat|inbound outbound|incom outgo|ingress egress|input output|import export|' +
  'push pull|positiv negativ|present absent|activ inactiv|left right|top bottom|debit credit|surplus deficit|deposit withdraw'

/** The opposites of a word or stem. */
export const OPPOSITES: ReadonlyMap<string, readonly string[]> = (() => {
  const map = new Map<string, string[]>()
  for (const pair of PAIRS.split('|')) {
    const [a = '', b = ''] = pair.split(' ')
    map.set(a, [...(map.get(a) ?? []), b])
    map.set(b, [...(map.get(b) ?? []), a])
  }
  return map
})()
