// Was the cause right? What is said here teaches the next diagnosis.
import { useState } from 'react'
import { FAULT_KINDS } from '../../src/core/fault-kinds.ts'
import type { FeedbackBody, IncidentView } from '../../src/incidents/view.ts'
import { useFeedback } from '../api/queries.ts'
import { kindWords } from '../format/words.ts'
import { Problem } from '../shell/problem.tsx'

export function Feedback({ view }: { readonly view: IncidentView }) {
  const feedback = useFeedback(view.id)
  const [wrong, setWrong] = useState(false)
  if (!view.report) return null
  const unknown = view.report.abstained || view.report.causes.length === 0
  const said = view.feedback
  if (said)
    return (
      <section aria-labelledby="feedback">
        <h2 id="feedback">Was this right?</h2>
        <p role="status">
          {said.by} says it is {said.verdict}
          {said.service === null && said.kind === null
            ? ''
            : `: it was ${[said.kind === null ? '' : kindWords(said.kind), said.service].filter(Boolean).join(' in ')}`}
          . It counts the next time this comes.
        </p>
        <p className="actions">
          <button
            type="button"
            disabled={feedback.isPending}
            onClick={() => feedback.mutate({ verdict: 'withdrawn' }, { onSuccess: () => feedback.reset() })}
          >
            Take it back
          </button>
        </p>
        {feedback.error && <Problem error={feedback.error} />}
      </section>
    )
  if (feedback.isSuccess)
    return (
      <section aria-labelledby="feedback">
        <h2 id="feedback">Was this right?</h2>
        <p role="status">Noted. It stays with this incident.</p>
      </section>
    )
  return (
    <section aria-labelledby="feedback">
      <h2 id="feedback">{unknown ? 'Do you know the cause?' : 'Was this right?'}</h2>
      {!wrong && (
        <p className="actions">
          {!unknown && (
            <button type="button" disabled={feedback.isPending} onClick={() => feedback.mutate({ verdict: 'right' })}>
              The cause is right
            </button>
          )}
          <button type="button" disabled={feedback.isPending} onClick={() => setWrong(true)}>
            {unknown ? 'Name it' : 'It is something else'}
          </button>
        </p>
      )}
      {wrong && (
        <RealCause view={view} busy={feedback.isPending} onSend={feedback.mutate} onClose={() => setWrong(false)} />
      )}
      {feedback.error && <Problem error={feedback.error} />}
    </section>
  )
}

interface RealCauseProps {
  readonly view: IncidentView
  readonly busy: boolean
  readonly onSend: (body: FeedbackBody) => void
  readonly onClose: () => void
}

function RealCause({ view, busy, onSend, onClose }: RealCauseProps) {
  const services = view.report?.map.services.map(({ name }) => name) ?? []
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        const fields = new FormData(event.currentTarget)
        const text = (name: string): string => {
          const value = fields.get(name)
          return typeof value === 'string' ? value.trim() : ''
        }
        const given = { service: text('service'), kind: text('kind'), text: text('text') }
        const kept = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''))
        onSend({ verdict: 'wrong', ...kept })
      }}
    >
      <div className="fields">
        <label>
          Service
          <input name="service" list="services" maxLength={200} autoFocus autoComplete="off" />
        </label>
        <datalist id="services">
          {services.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
        <label>
          Kind
          <select name="kind" defaultValue="">
            <option value="">not sure</option>
            {FAULT_KINDS.map((kind) => (
              <option key={kind} value={kind}>
                {kindWords(kind)}
              </option>
            ))}
          </select>
        </label>
      </div>
      <label>
        What it really was
        <textarea name="text" rows={3} maxLength={5000} />
      </label>
      <p className="actions">
        <button type="submit" className="main" disabled={busy}>
          Send
        </button>
        <button type="button" onClick={onClose}>
          Go back
        </button>
      </p>
    </form>
  )
}
