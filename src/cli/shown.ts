// Text that anyone may have written, on its way to a terminal: names of files, titles, sentences of documents.

/** On one line, without what would steer the terminal or hide in it. */
export const shown = (text: string): string =>
  // oxlint-disable-next-line no-control-regex -- they are what must not be in it
  text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, '')
