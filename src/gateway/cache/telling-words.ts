// Small words that decide what a prompt asks for, and those that decide nothing, in English, German, French and Spanish.

const setOf = (words: string): ReadonlySet<string> => new Set(words.split(' '))

const NEGATIONS =
  'not no none never nothing nobody nowhere neither nor without except unless instead nicht kein keine keinen keinem keiner nie niemals nichts ohne außer pas jamais rien sans aucun aucune sauf nunca nada sin ningún ninguna excepto'

/** Of each pair that embeddings confuse, at least one: it is in both texts or in neither. */
const OPPOSITES =
  'before after above below over under down left right first last start stop begin end open close enable disable enabled disabled off out more less most least increase decrease rise fall raise lower remove delete insert download receive import export encrypt decrypt encode decode compress decompress lock unlock pull deny forbidden true false yes min max minimum maximum best worst buy sell high low higher big small large fast slow old new oldest newest early late different bad cheap expensive ascending descending asc desc or only always sometimes yesterday today tomorrow was win lose hot cold day night weekly daily monthly yearly hourly vor nach mehr weniger oder avant après plus moins antes después más menos'

const NUMBERS =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion half third quarter twice double once second fourth fifth january february april june july august september october november december monday tuesday wednesday thursday friday saturday sunday eins zwei drei vier fünf sechs sieben acht neun zehn deux trois quatre cinq dos tres cuatro cinco'

/** Must be the same, and at the same place among their like. */
export const HARD_WORDS = setOf(`${NEGATIONS} ${OPPOSITES} ${NUMBERS}`)

/** Say what one thing is to another. */
export const RELATIONS = setOf('to from than into versus vs between minus against von nach zu vers desde hacia')

/** Behind these, a "to" only begins a verb. */
export const TO_OF_AN_INFINITIVE = setOf('how want need like trying try able going way ways steps have best easiest')

/** What a paraphrase may bring or leave. */
export const FILLER_WORDS = setOf(
  'a an the of for at by in on as it its this that these those i me my we us our you your please kindly could would can should may might must shall will do does did done be been being is are am were have has had having and with all any some what which who whom whose how why when where there here tell show give explain describe say let know want need like trying try able going just so very really also about up way ways steps der die das den dem des ein eine einen einem einer ist sind und mit in im bitte wie was wer wo wann warum mir mich ich du sie man kann le la les un une de du est sont et ne quel quelle comment je moi tu vous il elle el los las es son una y en por favor cómo qué cuál yo',
)
