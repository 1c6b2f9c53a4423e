// A report by itself, for a terminal: the sentence, the evidence, who voted for what, and what the critic tried.
import type { Report } from '../incidents/report.ts'

type Deliberation = NonNullable<Report['deliberation']>

export function renderReport(report: Report): string {
  const [cause, ...others] = report.causes
  const blocks = [report.sentence]
  if (cause) {
    const evidence = [
      ...cause.evidence.map(({ claim }) => `- ${claim}`),
      ...cause.against.map(({ claim }) => `- against: ${claim}`),
    ]
    blocks.push(`Confidence ${cause.confidence.toFixed(2)}\n${evidence.join('\n')}`)
  }
  for (const { service, kind, confidence } of others.slice(0, 2))
    blocks.push(`Also possible: ${service}, ${kind.replaceAll('_', ' ')} (${confidence.toFixed(2)})`)
  if (report.abstained && report.missing.length > 0)
    blocks.push(`What would settle it:\n${report.missing.map((one) => `- ${one}`).join('\n')}`)
  for (const { source, reason } of report.blind) blocks.push(`Not seen: ${source} (${reason})`)
  if (report.deliberation) blocks.push(renderDeliberation(report.deliberation))
  return blocks.join('\n\n')
}

/** How it came to the ranking, in a few lines. */
export function renderDeliberation({
  votes,
  objections,
  reordered,
  claimsRemoved,
  spent,
  stopped,
}: Deliberation): string {
  const cost = spent.costUsd === null ? 'cost unknown' : `$${spent.costUsd.toFixed(4)}`
  return [
    'How it was weighed',
    ...votes
      .slice(0, 8)
      .map(
        ({ by, service, kind, weight, reason }) =>
          `  ${weight.toFixed(2).padStart(6)}  ${by} for ${service}, ${kind.replaceAll('_', ' ')}: ${reason.slice(0, 120)}`,
      ),
    ...objections.map(
      ({ by, test, outcome, reason }) => `  critic (${by}): ${test} ${outcome}: ${reason.slice(0, 120)}`,
    ),
    ...(reordered ? ['  Models changed who comes first: a person has to decide, and nothing is proposed.'] : []),
    `  ${spent.toolCalls} tool calls, ${spent.modelCalls} model calls, ${spent.tokens} tokens, ${cost}; ${claimsRemoved} claims of models removed; ${stopped}`,
  ].join('\n')
}
