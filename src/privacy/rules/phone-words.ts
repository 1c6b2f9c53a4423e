// What the words before a number say of it. The nearest decides: "order 17, call 555-0132" speaks of a call.
import { isLetter } from '../characters.ts'

/** `phone`: a device or its number is named. `calling`: somebody calls. `other`: an id, an amount, a date. */
export type PhoneWords = 'phone' | 'calling' | 'other' | 'nothing'

/** How far before the number a word still counts. */
const REACH = 44

const MEANINGS = new Map<string, PhoneWords>()
for (const [meaning, words] of [
  [
    'phone',
    'phone phones telephone telephones telefon telefono teléfono téléphone telephon telefone tel tél telefax fax mobile mobil ' +
      'móvil movil handy cell cellphone cellular cellulare celular pager whatsapp sms hotline helpline landline voicemail ' +
      'msisdn gsm portable rufnummer telefonnummer',
  ],
  [
    'calling',
    'call called calling caller callback calls dial dialed dialled dialing ring rang ringing reach reachable reached contact ' +
      'answer answers answered answering appelle appelez appeler llame llama llamar llamada anruf anrufen',
  ],
  [
    'other',
    'order orders invoice invoices id ids ref reference ticket tickets case cases tracking serial account acct isbn issn sku part ' +
      'model version license licence passport zip postal price amount total code pin batch lot build timestamp epoch hash byte bytes ' +
      'uuid function tool permit routing policy claim patent doi vin imei iccid commit port pid population',
  ],
] as const)
  for (const word of words.split(' ')) MEANINGS.set(word, meaning)

/** On a visiting card, before a colon: `Home: 98765432`. */
const LABELS = new Set(['home', 'work', 'office', 'desk', 'direct', 'switchboard'])
const PERSONS = new Set(['me', 'us', 'him', 'her', 'them'])
/** Their calls are no telephone calls. */
const CALLED_BY_PROGRAMS = new Set(['function', 'tool', 'api', 'system', 'method', 'rpc', 'service'])

export function phoneWords(text: string, start: number): PhoneWords {
  const from = Math.max(0, start - REACH)
  let calling = false
  let behind = ''
  for (let end = start; end > from; end--) {
    if (!isLetter(text.charCodeAt(end - 1))) continue
    let begin = end - 1
    while (begin > from && isLetter(text.charCodeAt(begin - 1))) begin--
    // A word that is cut at the far end may only look like one of these.
    if (begin === from && from > 0 && isLetter(text.charCodeAt(from - 1))) break
    const word = text.slice(begin, end).toLowerCase()
    if (calling && CALLED_BY_PROGRAMS.has(word)) return 'other'
    const meaning = MEANINGS.get(word)
    if (meaning === 'phone' || (LABELS.has(word) && /^\s?:/.test(text.slice(end, end + 2)))) return 'phone'
    // Behind "call" only a telephone could say more.
    if (meaning === 'other') return calling ? 'calling' : 'other'
    calling ||= meaning === 'calling' || ((word === 'text' || word === 'texted') && PERSONS.has(behind))
    behind = word
    end = begin + 1
  }
  return calling ? 'calling' : 'nothing'
}
