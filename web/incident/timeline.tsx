// What happened, in order of time. Long ones scroll in a box of their own, so that a new line never pushes down what
// is being read below.
import { useEffect, useRef } from 'react'
import type { IncidentView } from '../../src/incidents/view.ts'
import { When } from '../shell/when.tsx'
import { momentsOf } from './moments.ts'
import { sparkPath } from './spark.ts'

export function Timeline({ view }: { readonly view: IncidentView }) {
  const moments = momentsOf(view)
  const box = useRef<HTMLOListElement>(null)
  const atEnd = useRef(true)
  // Follows the newest line unless the reader has scrolled back.
  useEffect(() => {
    const list = box.current
    if (!list) return
    const follow = (): void => {
      if (atEnd.current) list.scrollTop = list.scrollHeight
    }
    follow()
    const watch = new MutationObserver(follow)
    watch.observe(list, { childList: true })
    return () => watch.disconnect()
  }, [])
  return (
    <section aria-labelledby="happened">
      <h2 id="happened">What happened</h2>
      <ol
        className="timeline"
        ref={box}
        tabIndex={0}
        aria-labelledby="happened"
        onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
          atEnd.current = scrollTop + clientHeight >= scrollHeight - 8
        }}
      >
        {moments.map(({ key, at, who, text, points }) => (
          <li key={key} className={who}>
            <When at={at} seconds />
            <span className="moment">
              {text}
              {points && (
                <svg className="spark" viewBox="0 0 60 14" width="60" height="14" aria-hidden="true">
                  <path d={sparkPath(points, 60, 14)} />
                </svg>
              )}
              {who === 'system' && (
                <a href={`#${key}`} className="cite">
                  {key}
                </a>
              )}
            </span>
          </li>
        ))}
      </ol>
    </section>
  )
}
