// Whether a text names a service: as a whole word, where a dash or an underscore is part of a word.

export function mentions(text: string, name: string): boolean {
  if (name === '') return false
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    const around = `${text[at - 1] ?? ' '}${text[at + name.length] ?? ' '}`
    if (!/[A-Za-z0-9_-]/.test(around)) return true
  }
  return false
}
