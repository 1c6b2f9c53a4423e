// How bad it is, by shape, colour and word, so that none of the three is needed to read it. The shapes are those of
// the terminal: a square, a triangle, a disc, a ring.
import { type SeverityLevel, severityLevel } from '../format/words.ts'

export function Severity({ severity }: { readonly severity: string }) {
  const level = severityLevel(severity)
  return (
    <span className={`severity ${level}`}>
      <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
        <Shape level={level} />
      </svg>
      {severity}
    </span>
  )
}

function Shape({ level }: { readonly level: SeverityLevel }) {
  switch (level) {
    case 'critical':
      return <rect x="1.5" y="1.5" width="13" height="13" rx="1" />
    case 'error':
      return <path d="M8 1.5 15.5 14.500H.500z" />
    case 'warning':
      return <circle cx="8" cy="8" r="6.5" />
    case 'info':
      return <circle cx="8" cy="8" r="5.5" fill="none" stroke="currentColor" strokeWidth="2" />
  }
}
