// Characters that are there without being seen, in which text for a machine can hide from a person.

/** Zero width, marks of direction, tags, variation selectors, and controls but for tab and line ends. */
export const INVISIBLE =
  // oxlint-disable-next-line no-control-regex, no-misleading-character-class -- they are what must not be in it
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb]|\udb40[\udc00-\udfff]/g

export const withoutInvisible = (text: string): string => text.replaceAll(INVISIBLE, '')
