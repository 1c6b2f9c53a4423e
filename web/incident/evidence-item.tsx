// One piece of evidence: the claim, whether it speaks for or against the cause, and what it rests on.
import { lazy, Suspense } from 'react'
import type { Evidence, EvidenceRef } from '../../src/diagnosis/evidence.ts'
import { counted, measured, plain } from '../format/number.ts'
import { Copyable } from '../shell/copy.tsx'
import { Prose } from '../shell/prose.tsx'
import { When } from '../shell/when.tsx'
import type { PlotProps } from './plot.tsx'

const Plot = lazy(() => import('./plot.tsx'))

type ChangeRef = Extract<EvidenceRef, { kind: 'change' }>

interface EvidenceItemProps {
  readonly evidence: Evidence
  readonly speaks: 'for' | 'against'
  /** Changes among the evidence, to be marked in the plots. */
  readonly changes: readonly ChangeRef[]
  /** When the incident began, for times in the claim. */
  readonly near: number
}

export function EvidenceItem({ evidence, speaks, changes, near }: EvidenceItemProps) {
  const { id, claim, ref } = evidence
  return (
    <article className={`evidence ${speaks}`} id={id} tabIndex={-1} aria-labelledby={`${id}-claim`}>
      <h3 id={`${id}-claim`}>
        <span className="cite">{id}</span> <Prose text={claim} near={near} />
      </h3>
      <p className="speaks">Speaks {speaks} it</p>
      <Reference reference={ref} claim={claim} changes={changes} />
    </article>
  )
}

interface ReferenceProps {
  readonly reference: EvidenceRef
  readonly claim: string
  readonly changes: readonly ChangeRef[]
}

function Reference({ reference, claim, changes }: ReferenceProps) {
  switch (reference.kind) {
    case 'series':
      return <SeriesReference series={reference} claim={claim} changes={changes} />
    case 'log':
      return <LogReference log={reference} />
    case 'change':
      return <ChangeReference change={reference} />
    case 'topology':
      return (
        <p className="path">
          {reference.path.map((service, i) => (
            <span key={service}>
              {i > 0 && <span aria-label="calls"> → </span>}
              {service}
            </span>
          ))}
        </p>
      )
  }
}

interface SeriesReferenceProps {
  readonly series: Extract<EvidenceRef, { kind: 'series' }>
  readonly claim: string
  readonly changes: readonly ChangeRef[]
}

function SeriesReference({ series, claim, changes }: SeriesReferenceProps) {
  const labels = Object.entries(series.labels)
  const plot: PlotProps = {
    points: series.points,
    unit: series.unit,
    fromMs: series.fromMs,
    toMs: series.toMs,
    onsetMs: series.onsetMs,
    changes: changes.map(({ at, changeKind, to }) => ({
      at,
      label: to === undefined ? changeKind : `${changeKind} ${to}`,
    })),
    says: claim,
  }
  return (
    <>
      <p className="series-name">
        <strong>{series.service}</strong> {series.metric}
        {labels.map(([name, value]) => (
          <span key={name} className="quiet">
            {' '}
            {name}={value}
          </span>
        ))}
      </p>
      <Suspense fallback={<div className="plot-place" />}>
        <Plot {...plot} />
      </Suspense>
      {(series.before !== null || series.after !== null) && (
        <p className="before-after">
          {series.before !== null && (
            <span>
              before <strong>{measured(series.before, series.unit)}</strong>
            </span>
          )}
          {series.after !== null && (
            <span>
              after <strong>{measured(series.after, series.unit)}</strong>
            </span>
          )}
          {series.onsetMs !== null && (
            <span>
              onset <When at={series.onsetMs} seconds />
            </span>
          )}
        </p>
      )}
      <Copyable text={series.query} what="query" />
    </>
  )
}

function LogReference({ log }: { readonly log: Extract<EvidenceRef, { kind: 'log' }> }) {
  return (
    <>
      <p className="series-name">
        <strong>{log.service}</strong> wrote lines like this {plain(log.countAfter)} times after the onset,{' '}
        {log.countBefore === 0 ? 'never before' : `${plain(log.countBefore)} times before`}:
      </p>
      <p className="verbatim">{log.template}</p>
      {log.lines.length > 0 && (
        <details open={log.lines.length <= 5}>
          <summary>{counted(log.lines.length, 'line')} word for word</summary>
          <ol className="log-lines">
            {log.lines.map((line) => (
              <li key={line.ref}>
                <When at={line.at} seconds /> <span className={`level ${line.level}`}>{line.level}</span>{' '}
                <span className="message">{line.message}</span>
                <span className="quiet ref" title="Where its source keeps it">
                  {' '}
                  {line.ref}
                </span>
              </li>
            ))}
          </ol>
        </details>
      )}
    </>
  )
}

function ChangeReference({ change }: { readonly change: ChangeRef }) {
  return (
    <dl className="proposal">
      <div>
        <dt>{change.changeKind}</dt>
        <dd>
          <strong>{change.service}</strong>: {change.summary}
        </dd>
      </div>
      {(change.from !== undefined || change.to !== undefined) && (
        <div>
          <dt>Changed</dt>
          <dd>
            {change.from ?? 'nothing'} → {change.to ?? 'nothing'}
          </dd>
        </div>
      )}
      <div>
        <dt>When</dt>
        <dd>
          <When at={change.at} seconds />
          {change.author !== undefined && `, by ${change.author}`}
        </dd>
      </div>
    </dl>
  )
}
