// What the words before a number say of it. The nearest decides: "order 17, call 555-0132" speaks of a call.

/** `phone`: a device or its number is named. `calling`: somebody calls. `other`: an id, an amount, a date. */
export type PhoneWords = 'phone' | 'calling' | 'other' | 'nothing'

/** How far before the number a word still counts. */
const REACH = 44

const WORDS = new RegExp(
  String.raw`\b(?:(?<phone>(?:tele)?phones?|tele?fono?n?|teléfono|t[ée]l(?:[ée]phone)?|tele?fax|mobile?s?|m[óo]vil|handy|cell(?:ular|phone|ulare)?|celular|fax|pager|whatsapp|sms|hotline|helpline|landline|voicemail|msisdn|gsm)` +
    String.raw`|(?<label>home|work|office|desk|direct|switchboard)(?=\s?:)` +
    String.raw`|(?<calling>call(?:ed|ing|er|back)?|dial(?:l?ed|l?ing)?|ring|rang|ringing|text(?:ed)? (?:me|us|him|her|them)|reach(?:able|ed)?|contact|answer(?:s|ed|ing)?|appel\w*|llam\w*|anruf\w*|rufnummer)` +
    String.raw`|(?<other>orders?|invoices?|ids?|ref(?:erence)?|tickets?|cases?|tracking|serial|account|acct|isbn|issn|sku|part|model|version|license|licence|passport|zip|postal|price|amount|total|code|pin|batch|lot|build|timestamp|epoch|hash|bytes?|uuid|function|tool|licen[cs]e|permit|routing|policy|claim|patent|doi|vin|imei|iccid|commit|port|pid))(?![a-z])`,
  'giu',
)

export function phoneWords(text: string, start: number): PhoneWords {
  const from = Math.max(0, start - REACH)
  // A cut word at the far end may only look like one of these; one character more shows that it is cut.
  const before = text.slice(from, start)
  let nearest: PhoneWords = 'nothing'
  for (const { groups, index } of before.matchAll(WORDS)) {
    if (index === 0 && from > 0 && /\w/.test(text.charAt(from - 1))) continue
    if (groups?.['phone'] !== undefined || groups?.['label'] !== undefined) nearest = 'phone'
    // "phone, call me at": the stronger word stays.
    else if (groups?.['calling'] !== undefined) nearest = nearest === 'phone' ? 'phone' : 'calling'
    // "phone id" is an id; "call reference" too.
    else nearest = 'other'
  }
  return nearest
}
