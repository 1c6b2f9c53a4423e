// The first words about an incident, before anyone has looked: what its first alert says, in plain English.
// Labels are a stranger's text, so they are used only as names: cut to one line and to a length.

/** `checkout: high error rate`. */
export function titleOf(name: string, service: string | null): string {
  return service === null ? capitalised(spellName(name)) : `${oneLine(service)}: ${spellName(name)}`
}

/** `checkout: error rate is high since 03:12 UTC. Being looked at.` The day is told when it was not today. */
export function firstSentence(name: string, service: string | null, sinceMs: number, nowMs: number): string {
  const since = spellTime(sinceMs, nowMs)
  const words = spellName(name)
  const level = /^(high|low) (.+)$/.exec(words)
  const what = level ? `${level[2]} is ${level[1]}` : words
  return `${service === null ? capitalised(what) : `${oneLine(service)}: ${what}`} since ${since}. Being looked at.`
}

/** An alert as it is called inside a sentence: `HighErrorRate of checkout`. */
export const mention = (name: string, service: string | null): string =>
  service === null ? oneLine(name) : `${oneLine(name)} of ${oneLine(service)}`

const MAX_WORDS = 120

/** `HighErrorRate` → `high error rate`; `KubePodOOMKilled` → `kube pod OOM killed`; text stays text. */
function spellName(name: string): string {
  const line = oneLine(name)
  if (/\s/.test(line)) return line
  return line
    .replaceAll(/[_-]+/g, ' ')
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .split(' ')
    .map((word) => (/^[A-Z][a-z]/.test(word) || /^[AI]$/.test(word) ? word.toLowerCase() : word))
    .join(' ')
    .trim()
}

function oneLine(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
  return line.length > MAX_WORDS ? `${line.slice(0, MAX_WORDS - 1).toWellFormed()}…` : line
}

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

function spellTime(ms: number, nowMs: number): string {
  const [day = '', time = ''] = new Date(ms).toISOString().split('T')
  const today = new Date(nowMs).toISOString().startsWith(day)
  return `${today ? '' : `${day} `}${time.slice(0, 5)} UTC`
}
