// A sentence of Midwatch's, with the times in it as local ones; UTC, as it was written, on hover.
import { findTimes } from '../format/local-times.ts'
import { When } from './when.tsx'

interface ProseProps {
  readonly text: string
  /** A moment the sentence speaks of: it settles which day its times belong to. */
  readonly near: number
}

export function Prose({ text, near }: ProseProps) {
  return findTimes(text, near).map((part, i) =>
    // Parts have no identity but their place.
    part.kind === 'text' ? <span key={i}>{part.text}</span> : <When key={i} at={part.at} seconds={part.seconds} />,
  )
}
