// Texts with `{names}` in them, filled strictly: a name that nobody knows is a mistake to be told, never left standing.

const PLACEHOLDER = /\{([A-Za-z][\w-]*)\}/g

/** The names in a text, each once, in order of appearance. */
export const placeholdersOf = (text: string): string[] => [
  ...new Set([...text.matchAll(PLACEHOLDER)].map((match) => match[1] ?? '')),
]

/** Fills every name. What was put in is not read again. Throws RangeError for a name without a value. */
export function fillTemplate(
  text: string,
  values: Readonly<Record<string, string>>,
  encode: (value: string) => string = (value) => value,
): string {
  return text.replaceAll(PLACEHOLDER, (_all, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    if (value === undefined) throw new RangeError(`nothing is known to fill {${name}} with`)
    return encode(value)
  })
}
