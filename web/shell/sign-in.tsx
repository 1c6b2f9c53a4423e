// The door: an API key, handed in once.
import { type SubmitEvent, useState } from 'react'
import { signIn } from '../api/session.ts'

export function SignIn({ onSignedIn }: { readonly onSignedIn: () => void }) {
  const [key, setKey] = useState('')
  const [problem, setProblem] = useState<string>()
  const [busy, setBusy] = useState(false)

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    setBusy(true)
    setProblem(undefined)
    try {
      await signIn(key.trim())
      onSignedIn()
    } catch (error) {
      setProblem((error as Error).message)
    } finally {
      setBusy(false)
    }
  }

  return (
    <main className="door" id="content">
      <h1>Sign in</h1>
      <p>Midwatch asks for an API key with the scope incidents:read, and incidents:approve to decide on fixes.</p>
      <form onSubmit={(event) => void submit(event)}>
        <label htmlFor="key">API key</label>
        <input
          id="key"
          type="password"
          autoComplete="current-password"
          required
          autoFocus
          value={key}
          onChange={(event) => setKey(event.target.value)}
          aria-describedby="key-help"
        />
        <p id="key-help" className="quiet">
          Make one where Midwatch runs:{' '}
          <code>npx midwatch keys create --name page --scope incidents:read,incidents:approve</code>
        </p>
        <div role="alert">{problem !== undefined && <p className="problem">{problem}</p>}</div>
        <button type="submit" className="main" disabled={busy || key.trim() === ''}>
          {busy ? 'Signing in …' : 'Sign in'}
        </button>
      </form>
    </main>
  )
}
