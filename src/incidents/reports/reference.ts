// Where a claim can be checked, in words: the query that anyone can run again, the lines with their places, the change.
// The same wording in a post-mortem and in what other programs are told.
import type { Evidence, EvidenceRef } from '../../diagnosis/evidence.ts'
import { code } from '../markdown.ts'

/** Lines of a log that are quoted for one claim. */
const MOST_LINES = 3

/** `e1`, the claim, and below it its reference, as Markdown list items. */
export function claimLines({ id, claim, ref }: Evidence): readonly string[] {
  return [`- **${id.replaceAll(/\W/g, '')}** ${code(claim)}`, ...referenceLines(ref).map((line) => `  - ${line}`)]
}

function referenceLines(ref: EvidenceRef): readonly string[] {
  switch (ref.kind) {
    case 'series': {
      const moved =
        ref.before === null || ref.after === null
          ? ''
          : `; ${figure(ref.before)} before, ${figure(ref.after)} after${ref.unit === '' || ref.unit === '1' ? '' : ` (${code(ref.unit)})`}`
      const onset = ref.onsetMs === null ? '' : `; since ${utc(ref.onsetMs)}`
      return [`series ${code(ref.query)}, ${utc(ref.fromMs)} to ${utc(ref.toMs)}${moved}${onset}`]
    }
    case 'log': {
      const counts = `${figure(ref.countBefore)} lines before, ${figure(ref.countAfter)} after`
      return [
        `log of ${code(ref.service)}: ${code(ref.template)}; ${counts}`,
        ...ref.lines
          .slice(0, MOST_LINES)
          .map(({ at, level, message, ref: place }) => `${utc(at)} ${code(level)} ${code(message)} at ${code(place)}`),
      ]
    }
    case 'change': {
      const fromTo = [
        ref.from === undefined ? '' : ` from ${code(ref.from)}`,
        ref.to === undefined ? '' : ` to ${code(ref.to)}`,
      ]
      const by = ref.author === undefined ? '' : `, by ${code(ref.author)}`
      return [
        `change ${code(ref.id)}: ${ref.changeKind} of ${code(ref.service)} at ${utc(ref.at)}${fromTo.join('')}${by}: ${code(ref.summary)}`,
      ]
    }
    case 'topology': {
      return [`path of calls: ${ref.path.map(code).join(' → ')}`]
    }
  }
}

/** `2026-11-23 02:12:40 UTC`. */
export const utc = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`

/** As many digits as tell something. */
const figure = (value: number): string => String(Number(value.toPrecision(4)))
