// For a newcomer: how to make something appear here, in two commands that can be copied.
import { useState } from 'react'
import { serverNow } from '../api/client.ts'
import { useSession } from '../api/session.ts'
import { Copyable } from '../shell/copy.tsx'
import { testAlertCommand } from './test-alert.ts'

export function FirstSteps() {
  const session = useSession()
  const [command] = useState(() => testAlertCommand(location.origin, serverNow(), { withKey: session === 'signed-in' }))
  return (
    <section className="first-steps">
      <p>No alert has come in yet. Midwatch shows an incident here as soon as one does.</p>
      <h2>Send an alert</h2>
      <p>This is what Alertmanager sends. Run it in a terminal, and an incident opens:</p>
      <Copyable text={command} what="command" />
      <p>
        To send real ones, add a webhook receiver to Alertmanager with the address{' '}
        <code>{location.origin}/v1/alerts/alertmanager</code>.
      </p>
      <h2>Or watch it work</h2>
      <p>
        The lab starts a small shop of real services, breaks something in it, and shows the whole walk from the first
        alert to the fix. It starts a Midwatch of its own and prints its address:
      </p>
      <Copyable text="npm run lab" what="command" />
    </section>
  )
}
