// Bank accounts (ISO 13616): a country, the length that country uses, and the remainder 1 when divided by 97.
import { isAlphanumeric, isLetter, isUpper, wordBefore } from '../characters.ts'

const LENGTHS = new Map(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ' +
    'ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 ' +
    'LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 ' +
    'PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30'
  )
    .split(' ')
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
)

/** `at` is the first check digit, behind two letters. Where the number ends; -1 when there is none. */
export function ibanEnd(text: string, at: number): number {
  const start = at - 2
  if (start < 0 || !isLetter(text.charCodeAt(start)) || wordBefore(text, start)) return -1
  const length = LENGTHS.get(text.slice(start, at).toUpperCase())
  if (length === undefined) return -1
  // Only capitals may be written in groups: "in 20 euros" is a sentence.
  const grouped = isUpper(text.charCodeAt(start)) && isUpper(text.charCodeAt(start + 1))
  let number = ''
  let end = start
  let spaces = 0
  while (number.length < length) {
    const code = text.charCodeAt(end)
    if (isAlphanumeric(code) && code < 0x80) number += text.charAt(end)
    else if (
      grouped &&
      (code === 0x20 || code === 0x2d || code === 0xa0) &&
      isAlphanumeric(text.charCodeAt(end + 1)) &&
      spaces < 12
    )
      spaces++
    else return -1
    end++
  }
  if (isAlphanumeric(text.charCodeAt(end))) return -1
  return remainderIsOne(number.toUpperCase()) ? end : -1
}

function remainderIsOne(iban: string): boolean {
  let rest = 0
  for (const character of iban.slice(4) + iban.slice(0, 4)) {
    const value = parseInt(character, 36)
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97
  }
  return rest === 1
}
