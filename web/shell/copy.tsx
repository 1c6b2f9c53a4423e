// Text to be used elsewhere, word for word, with a button that copies it.
import { useState } from 'react'

interface CopyableProps {
  readonly text: string
  /** What it is, for those who cannot see it: "query". */
  readonly what: string
}

export function Copyable({ text, what }: CopyableProps) {
  const [done, setDone] = useState<'copied' | 'refused'>()

  async function copy(): Promise<void> {
    // Absent where the page is served without HTTPS from another machine.
    const copied = await navigator.clipboard?.writeText(text).then(
      () => true,
      () => false,
    )
    setDone(copied ? 'copied' : 'refused')
    setTimeout(() => setDone(undefined), 4000)
  }

  return (
    <div className="copyable">
      <pre>
        <code>{text}</code>
      </pre>
      <button type="button" className="small" onClick={() => void copy()} aria-label={`Copy the ${what}`}>
        Copy
      </button>
      <span className="quiet" aria-live="polite">
        {done === 'copied' && 'Copied'}
        {done === 'refused' && 'This browser does not let the page copy: select the text'}
      </span>
    </div>
  )
}
