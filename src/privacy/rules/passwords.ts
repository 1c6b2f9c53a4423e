// Passwords and keys that are named before they are told: `password=…`, `"apiKey": "…"`, `the password is …`. What
// follows must look like a secret and not like code, a placeholder or the rest of a sentence.
import { isAlphanumeric, isWord } from '../characters.ts'

type Named = 'password' | 'key'

const PASSWORD_NAME = /(?:pass(?:word|wd|phrase|code)s?|passwort|kennwort|pwd|pswd|contraseña|senha)$/i
const KEY_NAME =
  /(?:secret|(?:api|access|private|secret|account|auth|signing|encryption)[_-]?key|(?:^|access|auth|refresh|session|bearer|api|bot|id|secret|personal)[_-]?token|credentials?)$/i
/** As environment variables are named. Elsewhere `page_token` and `primary_key` are no secrets. */
const VARIABLE_NAME = /^[A-Z][A-Z0-9_]*_(?:TOKEN|KEY|SECRET)$/

/** Which kind of secret a name announces; null for other names. */
export function secretName(name: string): Named | null {
  if (PASSWORD_NAME.test(name)) return 'password'
  return KEY_NAME.test(name) || VARIABLE_NAME.test(name) ? 'key' : null
}

/** Last letters that those names can have, d e s t y n a l: looked at before anything costly. */
const mayEndName = (code: number): boolean => {
  const low = code | 0x20
  return (
    low === 0x64 ||
    low === 0x65 ||
    low === 0x73 ||
    low === 0x74 ||
    low === 0x79 ||
    low === 0x6e ||
    low === 0x61 ||
    low === 0x6c
  )
}

/** The name right before the `=` or `:` at `at`, through quotes and spaces; null when it announces nothing. */
export function announcedBefore(text: string, at: number): Named | null {
  let end = at
  while (at - end < 4 && isFiller(text.charCodeAt(end - 1))) end--
  if (!mayEndName(text.charCodeAt(end - 1))) return null
  let start = end
  while (end - start < 40 && (isWord(text.charCodeAt(start - 1)) || text.charCodeAt(start - 1) === 0x2d)) start--
  return end - start < 3 ? null : secretName(text.slice(start, end))
}

/** Space, quotes, and the backslash before a quote in quoted JSON. */
const isFiller = (code: number): boolean =>
  code === 0x20 || code === 0x09 || code === 0x22 || code === 0x27 || code === 0x5c || code === 0x60

const QUOTED = /[ \t]{0,3}(?:[=>][ \t]{0,2})?\\?(["'`])((?:(?!\1)[^\\\n\r]|\\(?!\1).){1,400})\\?\1/y
const BARE = /[ \t]{0,3}(?:[=>][ \t]{0,2})?([^\s"'`<>,;()[\]{}&\\]{1,200})/y

/** What is assigned behind the sign at `at`, where it is a secret. */
export function assignedSecret(
  text: string,
  at: number,
  named: Named,
): { readonly start: number; readonly end: number } | null {
  QUOTED.lastIndex = at + 1
  const quoted = QUOTED.exec(text)
  if (quoted) {
    const value = quoted[2] ?? ''
    // Behind the value stand its quote and, in quoted JSON, a backslash, which is never part of a value's end.
    const end = at + 1 + quoted[0].length - (quoted[0].at(-2) === '\\' ? 2 : 1)
    return isSecret(value, named, true) ? { start: end - value.length, end } : null
  }
  BARE.lastIndex = at + 1
  const bare = BARE.exec(text)
  if (!bare) return null
  const end = at + 1 + bare[0].length
  const start = end - (bare[1] ?? '').length
  const next = text.charCodeAt(end)
  // A call or an index: `password = read(…)`, `env['KEY']`.
  if (next === 0x28 || next === 0x5b) return null
  const value = withoutStop(bare[1] ?? '')
  const tight = text.charCodeAt(at) === 0x3d && start === at + 1
  return isSecret(value, named, tight) ? { start, end: start + value.length } : null
}

const withoutStop = (value: string): string => value.replace(/[.:]+$/, '')

const PLACEHOLDER =
  /^(?:[$%<{[/~#]|\.\/|\*{2,}|x{3,}$|your|my[_-]|changeme|change_me|example|placeholder|redacted|hidden|none$|null$|true$|false$|undefined$|nil$|string$|str$|required$|optional$|empty$|https?:|[[<]|\.{2,})/i

/** `told`: quoted, or assigned without a space: then plain letters are a password too. */
export function isSecret(value: string, named: Named, told: boolean): boolean {
  if (PLACEHOLDER.test(value) || value.startsWith('[')) return false
  const { classes, digit, symbol, letter } = look(value)
  if (named === 'key')
    return value.length >= 12 && digit && letter && !/\s/.test(value) && !/^[a-z_]+(?:[._][a-z_]+)*\d?$/.test(value)
  if (value.length < 4 || (value.match(/\s/g)?.length ?? 0) > 4) return false
  // `args.password`, `db_password`: code that speaks of a secret elsewhere.
  if (
    /^[a-z_][\w.]*$/i.test(value) &&
    /pass|pwd|secret|token|key|env|config|credential|input|value|field|hash/i.test(value) &&
    !digit
  )
    return false
  if (told) return value.length >= 5 || classes >= 2
  return (digit && value.length >= 4) || (symbol && letter && value.length >= 6)
}

function look(value: string) {
  const lower = /[a-z]/.test(value)
  const upper = /[A-Z]/.test(value)
  const digit = /\d/.test(value)
  const symbol = /[!@#$%^&*?~+|]/.test(value)
  return {
    letter: lower || upper,
    digit,
    symbol,
    classes: Number(lower) + Number(upper) + Number(digit) + Number(symbol),
  }
}

const SPOKEN =
  /pass(?:word|wd|phrase|code)s?['"]?[ ]{1,2}(is |was |being |to |of |set to |changed to |now |as |still ){0,3}(?:['"‘“`]([^'"’”`\n]{4,64})['"’”`]|([^\s"'<>()[\]{}]{6,64}))/iy

/** A password told in a sentence, behind the word that begins at `start`: `the password is Tr0ub4dor`. */
export function spokenPassword(text: string, start: number): { readonly start: number; readonly end: number } | null {
  SPOKEN.lastIndex = start
  const found = SPOKEN.exec(text)
  if (!found) return null
  const end = start + found[0].length
  if (found[2] !== undefined) {
    const { classes, digit, symbol } = look(found[2])
    const credible =
      (digit || symbol || classes >= 2) && (found[2].match(/\s/g)?.length ?? 0) <= 1 && !PLACEHOLDER.test(found[2])
    return credible && !/^\W/.test(found[2]) ? { start: end - 1 - found[2].length, end: end - 1 } : null
  }
  const value = found[3] ?? ''
  const bare = value.replace(/[.,;:?)]+$/, '')
  // A shout's mark is not what makes a word a password.
  const { classes, digit, symbol, letter } = look(bare.replace(/!+$/, ''))
  const connected = found[1] !== undefined
  const credible = connected ? letter && (digit || symbol) : classes >= 3 && bare.length >= 8
  if (
    !(credible || (classes >= 2 && bare.endsWith('!') && /[a-z][A-Z]/.test(bare))) ||
    bare.length < 6 ||
    PLACEHOLDER.test(bare)
  )
    return null
  const from = end - value.length
  return isAlphanumeric(bare.charCodeAt(0)) || connected ? { start: from, end: from + bare.length } : null
}
