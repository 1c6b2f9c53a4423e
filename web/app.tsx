// The frame around every room: who we are, where we are, and the keys.
import { useEffect, useRef, useState } from 'react'
import { useQueryClient } from '@tanstack/react-query'
import { Link, Route, Switch, useLocation } from 'wouter'
import { signOut, useSession } from './api/session.ts'
import { zoneName } from './format/time.ts'
import { IncidentRoom } from './incident/incident-room.tsx'
import { ListRoom } from './incidents/list-room.tsx'
import { KeyHelp } from './shell/key-help.tsx'
import { hearKeys, useKeys } from './shell/keys.ts'
import { PageFailure } from './shell/page-failure.tsx'
import { useNow } from './shell/when.tsx'
import { SignIn } from './shell/sign-in.tsx'

export function App() {
  const [, navigate] = useLocation()
  const [help, setHelp] = useState(false)
  const session = useSession()
  const now = useNow(3_600_000)
  const client = useQueryClient()
  useEffect(hearKeys, [])
  useKeys('Everywhere', [
    { keys: 'g i', says: 'go to the incidents', run: () => navigate('/') },
    { keys: '?', says: 'show the keys', run: () => setHelp(true) },
  ])

  async function leave(): Promise<void> {
    await signOut().catch(() => undefined)
    client.clear()
  }

  return (
    <>
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <header className="top">
        <Link href="/" className="brand">
          Midwatch
        </Link>
        <nav aria-label="Rooms">
          <Link href="/">Incidents</Link>
        </nav>
        <span className="top-right">
          <span className="quiet zone" title="Hover over a time to see it in UTC">
            Times in {zoneName(now)}
          </span>
          <button type="button" className="small for-keyboards" onClick={() => setHelp(true)} aria-keyshortcuts="?">
            Keys
          </button>
          {session === 'signed-in' && (
            <button type="button" className="small" onClick={() => void leave()}>
              Sign out
            </button>
          )}
        </span>
      </header>
      {session === 'needed' ? (
        <SignIn onSignedIn={() => void client.resetQueries()} />
      ) : (
        <PageFailure>
          <Rooms />
        </PageFailure>
      )}
      {help && <KeyHelp onClose={() => setHelp(false)} />}
    </>
  )
}

function Rooms() {
  const [location] = useLocation()
  const content = useRef<HTMLElement>(null)
  const shown = useRef(location)
  // A new room begins at its top, also for those who hear the page.
  useEffect(() => {
    if (shown.current === location) return
    shown.current = location
    content.current?.focus({ preventScroll: true })
    window.scrollTo(0, 0)
  }, [location])
  return (
    <main id="content" ref={content} tabIndex={-1}>
      <Switch>
        <Route path="/" component={ListRoom} />
        <Route path="/incidents" component={ListRoom} />
        <Route path="/incidents/:id">{({ id }) => <IncidentRoom key={id} id={id} />}</Route>
        <Route>
          <h1>There is no such page</h1>
          <p>
            The address {location} belongs to no room. <Link href="/">See the incidents</Link>.
          </p>
        </Route>
      </Switch>
    </main>
  )
}
