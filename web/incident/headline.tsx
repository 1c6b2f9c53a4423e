// What a person must know in ten seconds: the sentence, how sure it is, and where it stands.
import type { IncidentView } from '../../src/incidents/view.ts'
import { confidence, counted } from '../format/number.ts'
import { duration } from '../format/time.ts'
import { kindWords, splitSentence, stateWords } from '../format/words.ts'
import { Prose } from '../shell/prose.tsx'
import { Severity } from '../shell/severity.tsx'
import { useNow, When } from '../shell/when.tsx'
import { Told } from './told.tsx'

export function Headline({ view }: { readonly view: IncidentView }) {
  const { what, why } = splitSentence(view.sentence)
  const now = useNow()
  return (
    <header className={`headline ${view.state}`}>
      <p className="facts">
        <Severity severity={view.severity} />
        <span className={view.state === 'awaiting_approval' ? 'state asks' : 'state'}>{stateWords(view)}</span>
        <span>
          since <When at={view.openedAt} zone />
        </span>
        <span>
          {view.closedAt === null ? duration(now - view.openedAt) : `lasted ${duration(view.closedAt - view.openedAt)}`}
        </span>
        <span>
          {view.alerts > 1 ? `${counted(view.alerts, 'alert')} folded into one` : counted(view.alerts, 'alert')}
        </span>
        <span>incident {view.number}</span>
      </p>
      <h1 aria-live="polite">
        <Prose text={what} near={view.openedAt} />
        {why !== '' && (
          <span className="why">
            <Prose text={why} near={view.openedAt} />
          </span>
        )}
      </h1>
      <Standing view={view} />
      <Told view={view} />
    </header>
  )
}

/** How sure we are, and what speaks for and against it: facts cite their evidence, guesses carry their confidence. */
function Standing({ view }: { readonly view: IncidentView }) {
  const { report, openedAt: near } = view
  if (!report) return null
  const [cause, ...others] = report.causes
  const unknown = report.abstained || !cause
  return (
    <div className="standing">
      {unknown ? (
        <Unknown sentence={view.sentence} missing={report.missing} near={near} />
      ) : (
        <p className="cause">
          <span className="guess">
            {kindWords(cause.kind)} in <strong>{cause.service}</strong>
          </span>
          <span title="Of the answers given at 0.8, four in five are right.">
            Confidence <strong>{confidence(cause.confidence)}</strong>
          </span>
        </p>
      )}
      {report.effect !== '' && !view.sentence.toLowerCase().includes(report.effect.toLowerCase()) && (
        <p>
          <span className="quiet">Effect</span> {report.effect}
        </p>
      )}
      <div className="counts">
        {!unknown && (
          <>
            <Count
              near={near}
              label="speaks for it"
              items={cause.evidence.map(({ id, claim }) => ({ id, text: claim }))}
              cited
            />
            <Count
              near={near}
              label="speaks against it"
              items={cause.against.map(({ id, claim }) => ({ id, text: claim }))}
              cited
            />
          </>
        )}
        <Count
          near={near}
          label="ruled out"
          items={report.ruledOut.map(({ service, reason }) => ({ id: service, text: `${service}: ${reason}` }))}
        />
        <Count
          near={near}
          label={unknown ? 'weighed' : 'also weighed'}
          items={(unknown ? report.causes : others).map((other) => ({
            id: `${other.service}/${other.kind}`,
            text: `${kindWords(other.kind)} in ${other.service}, confidence ${confidence(other.confidence)}`,
          }))}
        />
        {!unknown && report.missing.length > 0 && (
          <Count near={near} label="would settle it" items={report.missing.map((text) => ({ id: text, text }))} />
        )}
      </div>
    </div>
  )
}

interface UnknownProps {
  readonly sentence: string
  readonly missing: readonly string[]
  readonly near: number
}

/** What would settle it, as far as the sentence does not say it already. */
function Unknown({ sentence, missing, near }: UnknownProps) {
  const unsaid = missing.filter((one) => !sentence.includes(one))
  const named = sentence.includes('The cause is not known')
  if (named && unsaid.length === 0) return null
  return (
    <div className="unknown">
      <p>
        {!named && <strong>The cause is not known. </strong>}
        {unsaid.length > 0 &&
          (unsaid.length < missing.length ? 'It would also help to know:' : 'What would settle it:')}
      </p>
      <ul>
        {unsaid.map((one) => (
          <li key={one}>
            <Prose text={one} near={near} />
          </li>
        ))}
      </ul>
    </div>
  )
}

interface CountProps {
  readonly label: string
  readonly items: readonly { readonly id: string; readonly text: string }[]
  /** The items are evidence further down the page. */
  readonly cited?: boolean
  readonly near: number
}

function Count({ label, items, near, cited = false }: CountProps) {
  if (items.length === 0) return <span className="quiet count-none">{label} (0)</span>
  return (
    <details>
      <summary>
        {label} ({items.length})
      </summary>
      <ul>
        {items.map(({ id, text }) => (
          <li key={id}>
            {cited && (
              <>
                <a href={`#${id}`}>{id}</a>{' '}
              </>
            )}
            <Prose text={text} near={near} />
          </li>
        ))}
      </ul>
    </details>
  )
}
