// What of a passage is embedded: also where it stands, for a passage under "Mitigation" seldom says of what.

/** The title and the headings as a line of their own, then the text. */
export function embeddingText(of: { title: string; headings: readonly string[]; text: string }): string {
  const path = of.headings[0] === of.title ? of.headings : [of.title, ...of.headings]
  const above = path.filter((part) => part.trim() !== '').join(' › ')
  return above === '' ? of.text : `${above}.\n${of.text}`
}
