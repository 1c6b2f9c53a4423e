// The stream selectors of LogQL: label matchers in braces, as they are asked and read.
import { AppError } from '../../core/errors.ts'

const quote = (value: string): string => JSON.stringify(value)
const escapeRegex = (value: string): string => value.replaceAll(/[\\^$.|?*+()[\]{}]/g, String.raw`\$&`)

/**
 * The selector for some services, or for all. `base`: the configured matchers without braces, empty for none. Loki refuses a
 * selector that matches only what is empty, so the service's label has to be there.
 */
export function printSelector(base: string, label: string, services: readonly string[] | undefined): string {
  const [only] = services ?? []
  const service =
    services === undefined
      ? `${label}=~".+"`
      : services.length === 1 && only !== undefined
        ? `${label}=${quote(only)}`
        : `${label}=~${quote(services.map(escapeRegex).join('|'))}`
  return `{${[base, service].filter((part) => part !== '').join(', ')}}`
}

/** The configured selector without its braces. Throws AppError `malformed` for what is none. */
export function readBase(selector: string): string {
  const text = selector.trim()
  if (text === '') return ''
  const matcher = String.raw`\s*[A-Za-z_][A-Za-z0-9_]*\s*(=~|!~|!=|=)\s*"(?:[^"\\]|\\.)*"\s*`
  const match = new RegExp(String.raw`^\{(${matcher}(?:,${matcher})*)\}$`).exec(text)
  if (!match)
    throw new AppError('malformed', `${selector} is no selector of log streams such as {cluster="eu"}.`, {
      field: 'agent.sources.loki.selector',
    })
  return (match[1] ?? '').trim()
}
