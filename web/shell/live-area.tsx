// What is shown here follows the server. When the connection is lost, a line says since when and the content greys,
// until it has caught up.
import type { ReactNode } from 'react'
import type { Connection } from '../api/live.ts'
import { When } from './when.tsx'

interface LiveAreaProps {
  readonly connection: Connection
  readonly children: ReactNode
}

export function LiveArea({ connection, children }: LiveAreaProps) {
  const lost = connection.kind === 'lost'
  return (
    <>
      <div role="status" aria-live="assertive">
        {lost && (
          <p className="stale-line">
            The connection is lost since <When at={connection.sinceMs} seconds />. What you see is from then; it catches
            up by itself.
          </p>
        )}
      </div>
      <div className={lost ? 'stale' : undefined}>{children}</div>
    </>
  )
}
