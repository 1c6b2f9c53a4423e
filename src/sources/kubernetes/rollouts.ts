// Rollouts as changes. A Deployment keeps a ReplicaSet for each of its templates; the others keep ControllerRevisions. One is
// made when its template is first rolled out, and used again when it is rolled back to: then its number grows, and only the
// last time of that can be told.
import type { Change } from '../../core/telemetry.ts'
import type { Metadata } from './objects.ts'
import { compareTemplates, imagesOf } from './templates.ts'
import type { Revision, Running, Workload } from './workloads.ts'

const NUMBER = 'deployment.kubernetes.io/revision'
const HISTORY = 'deployment.kubernetes.io/revision-history'
const CAUSE = 'kubernetes.io/change-cause'

interface Rollout {
  readonly number: number
  readonly revision: Revision
  /** Undefined where nobody knows any more. */
  readonly at: number | undefined
  readonly again: boolean
}

/** `authorAnnotations`: of workloads, which name who rolled it out; first present wins. */
export function rolloutsOf({ revisions }: Running, authorAnnotations: readonly string[]): Change[] {
  const changes: Change[] = []
  for (const [owner, own] of Map.groupBy(revisions, (one) => one.owner)) {
    const rollouts = (owner.kind === 'Deployment' ? ofReplicaSets(owner, own) : ofRevisions(own)).sort(
      (a, b) => a.number - b.number,
    )
    for (const [i, rollout] of rollouts.entries()) {
      const last = i === rollouts.length - 1
      const change = toChange(owner, rollout, rollouts[i - 1], last, authorAnnotations)
      if (change) changes.push(change)
    }
  }
  return changes
}

function ofReplicaSets(owner: Workload, sets: readonly Revision[]): Rollout[] {
  const numbered = sets.flatMap((revision) => {
    const { annotations } = revision.metadata
    const numbers = [...(annotations[HISTORY] ?? '').split(','), annotations[NUMBER] ?? '']
      .map(Number)
      .filter((number) => Number.isInteger(number) && number > 0)
      .sort((a, b) => a - b)
    return numbers.map((number, i) => ({ number, revision, again: i > 0 }))
  })
  const newest = Math.max(0, ...numbered.map(({ number }) => number))
  return numbered.map(({ number, revision, again }) => {
    const at = !again
      ? revision.metadata.creationTimestamp
      : number === newest
        ? lastSet(owner.metadata, 'f:template')?.at
        : undefined
    return { number, revision, at, again }
  })
}

function ofRevisions(revisions: readonly Revision[]): Rollout[] {
  return revisions.map((revision) => {
    const made = revision.metadata.creationTimestamp
    const changed = Math.max(made ?? 0, ...revision.metadata.managedFields.map(({ time }) => time ?? 0))
    // Made and first written to within the same breath.
    const again = made !== undefined && changed - made > 2000
    return { number: revision.number ?? 0, revision, at: again ? changed : made, again }
  })
}

function toChange(
  owner: Workload,
  { number, revision, at, again }: Rollout,
  before: Rollout | undefined,
  last: boolean,
  authorAnnotations: readonly string[],
): Change | undefined {
  if (at === undefined) return undefined
  const { namespace, name } = owner.metadata
  const what = `${owner.kind} ${namespace}/${name}`
  const annotations = { ...(last ? owner.metadata.annotations : {}), ...revision.metadata.annotations }
  const cause = annotations[CAUSE]
  const author =
    authorAnnotations.map((one) => annotations[one]).find((one) => one !== undefined && one !== '') ??
    (last ? lastSet(owner.metadata, 'f:template')?.manager : undefined)
  const base = {
    id: `kubernetes:${owner.metadata.uid}:${number}`,
    at,
    service: owner.service,
    ...(author === undefined ? {} : { author }),
  }
  const because = cause === undefined ? '' : ` (${cause})`
  if (!before) {
    const to = imagesOf(revision.template)
    return { ...base, kind: 'deploy', summary: `${what}: revision ${number}, image ${to}${because}`, to }
  }
  const { kind, words, from, to } = compareTemplates(before.revision.template, revision.template)
  const back = again ? ' again, as it was before' : ''
  return {
    ...base,
    kind,
    summary: `${what}: revision ${number}${back}: ${words}${because}`,
    from: from ?? `revision ${before.number}`,
    to: to ?? `revision ${number}`,
  }
}

/** When, and by which program, a part of the spec was last set. */
export function lastSet(
  { managedFields }: Pick<Metadata, 'managedFields'>,
  field: string,
): { readonly at: number; readonly manager: string | undefined } | undefined {
  return managedFields
    .flatMap(({ fieldsV1, time, manager }) => {
      const spec = fieldsV1?.['f:spec']
      const sets = typeof spec === 'object' && spec !== null && Object.hasOwn(spec, field)
      return sets && time !== undefined ? [{ at: time, manager: manager ?? undefined }] : []
    })
    .sort((a, b) => b.at - a.at)[0]
}
