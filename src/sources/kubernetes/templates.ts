// What two pod templates differ in, in words. Names of settings are told, their values are not: they may be secret.
import type { ChangeKind } from '../../core/telemetry.ts'
import type { PodTemplate } from './objects.ts'

export interface TemplateChange {
  readonly kind: ChangeKind
  /** "image web:1 to web:2", "environment LOG_LEVEL, resources". */
  readonly words: string
  /** Images, where they differ. */
  readonly from?: string
  readonly to?: string
}

type Container = NonNullable<PodTemplate['spec']>['containers'][number]

const RESTARTED = 'kubectl.kubernetes.io/restartedAt'
const MOST_NAMES = 8

export function compareTemplates(before: PodTemplate, after: PodTemplate): TemplateChange {
  const images: [string, string][] = []
  const other = new Set<string>()
  const old = new Map((before.spec?.containers ?? []).map((one) => [one.name, one]))
  const seen = new Set<string>()
  for (const container of after.spec?.containers ?? []) {
    seen.add(container.name)
    const previous = old.get(container.name)
    if (!previous) {
      other.add(`new container ${container.name}`)
      continue
    }
    if (previous.image !== container.image) images.push([previous.image ?? '', container.image ?? ''])
    for (const words of settingsThatDiffer(previous, container)) other.add(words)
  }
  for (const name of old.keys()) if (!seen.has(name)) other.add(`container ${name} is gone`)
  for (const field of keysThatDiffer(before.spec ?? {}, after.spec ?? {}, ['containers'])) other.add(field)
  const annotations = keysThatDiffer(before.metadata?.annotations ?? {}, after.metadata?.annotations ?? {})
  const restarted = annotations.includes(RESTARTED)
  for (const name of annotations) if (name !== RESTARTED) other.add(`annotation ${name}`)

  const rest = [...other].slice(0, MOST_NAMES).join(', ')
  if (images.length > 0) {
    const from = images.map(([one]) => one).join(', ')
    const to = images.map(([, one]) => one).join(', ')
    return { kind: 'deploy', words: `image ${from} to ${to}${rest === '' ? '' : `, ${rest}`}`, from, to }
  }
  if (rest !== '') return { kind: 'config', words: rest }
  return restarted
    ? { kind: 'restart', words: 'restarted by request' }
    : { kind: 'other', words: 'nothing that is compared' }
}

export const imagesOf = (template: PodTemplate): string =>
  (template.spec?.containers ?? []).map(({ image }) => image ?? '').join(', ')

function settingsThatDiffer(before: Container, after: Container): string[] {
  const variables = keysThatDiffer(variablesOf(before), variablesOf(after))
  const fields = keysThatDiffer(before, after, ['name', 'image', 'env'])
  return [...(variables.length === 0 ? [] : [`environment ${variables.slice(0, MOST_NAMES).join(', ')}`]), ...fields]
}

function variablesOf({ env }: Container): Record<string, unknown> {
  if (!Array.isArray(env)) return {}
  return Object.fromEntries(
    env.flatMap((one: unknown) =>
      typeof one === 'object' && one !== null && 'name' in one ? [[String(one.name), one] as const] : [],
    ),
  )
}

function keysThatDiffer(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
  except: readonly string[] = [],
): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((name) => !except.includes(name) && JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .sort()
}
