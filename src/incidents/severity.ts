// The many spellings of how bad it is, as one of four. An alert that does not say is a warning: too little noise to
// be hidden, too little said to wake anyone.

const SEVERITIES = ['critical', 'error', 'warning', 'info'] as const
export type Severity = (typeof SEVERITIES)[number]

const SPELLINGS: Readonly<Record<Severity, string>> = {
  critical:
    'critical crit page pager emergency emerg fatal disaster blocker urgent alert p0 p1 s0 s1 sev0 sev1 severity1 priority1',
  error: 'error err high major severe p2 s2 sev2 severity2 priority2',
  warning: 'warning warn medium moderate average minor ticket p3 s3 sev3 severity3 priority3',
  info:
    'info information informational none ok notice debug low trivial notification ' +
    'p4 p5 s4 s5 sev4 sev5 severity4 severity5 priority4 priority5',
}

const MEANING = new Map(
  SEVERITIES.flatMap((severity) => SPELLINGS[severity].split(' ').map((spelling) => [spelling, severity] as const)),
)

/** Case, spaces and punctuation do not matter: `SEV-1` is `sev1`. Unknown or absent: `warning`. */
export const normaliseSeverity = (given: string | undefined): Severity => findSeverity(given) ?? 'warning'

/** The same, and undefined where the word says nothing of a severity. */
export const findSeverity = (given: string | undefined): Severity | undefined =>
  MEANING.get((given ?? '').toLowerCase().replaceAll(/[^a-z0-9]/g, ''))

/** 0 is the worst. */
export const severityRank = (severity: string): number => {
  const rank = SEVERITIES.indexOf(severity as Severity)
  return rank === -1 ? SEVERITIES.length : rank
}

export const worseOf = (a: string, b: string): string => (severityRank(b) < severityRank(a) ? b : a)
