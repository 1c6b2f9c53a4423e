// What happened, in order of time. Long ones scroll in a box of their own, so that a new line never pushes down what
// is being read below.
import { useEffect, useRef } from 'react'
import type { IncidentView } from '../../src/incidents/view.ts'
import { Prose } from '../shell/prose.tsx'
import { When } from '../shell/when.tsx'
import { momentsOf } from './moments.ts'
import { sparkPath } from './spark.ts'

export function Timeline({ view }: { readonly view: IncidentView }) {
  const moments = momentsOf(view)
  const box = useRef<HTMLOListElement>(null)
  const diagnosed = view.report !== null
  const atEnd = useRef(!diagnosed)
  // While the cause is looked for the newest line counts, and is followed unless the reader scrolls back; once it is
  // named, how it began.
  useEffect(() => {
    const list = box.current
    if (!list) return
    const follow = (): void => {
      if (atEnd.current) list.scrollTop = list.scrollHeight
    }
    atEnd.current = !diagnosed
    if (diagnosed) list.scrollTop = 0
    else follow()
    const watch = new MutationObserver(follow)
    watch.observe(list, { childList: true })
    return () => watch.disconnect()
  }, [diagnosed])
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
              {who === 'system' && (
                <>
                  <a href={`#${key}`} className="cite">
                    {key}
                  </a>{' '}
                </>
              )}
              <Prose text={text} near={at} />
              {points && (
                <svg className="spark" viewBox="0 0 60 14" width="60" height="14" aria-hidden="true">
                  <path d={sparkPath(points, 60, 14)} />
                </svg>
              )}
            </span>
          </li>
        ))}
      </ol>
    </section>
  )
}
