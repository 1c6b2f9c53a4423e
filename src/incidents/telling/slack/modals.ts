// The two questions that a button cannot hold: why a proposal is refused, and what the cause really was.
import type { types } from '@slack/bolt'
import { z } from 'zod'

export const MODALS = { refuse: 'midwatch_refuse_why', wrong: 'midwatch_wrong_why' } as const

/** Comes back with the answer; every id in it is looked up and checked again. */
const metadata = z.object({
  incident: z.string().max(100),
  approval: z.string().max(200).optional(),
  channel: z.string().max(30),
  ts: z.string().max(30),
})
export type ModalMetadata = z.infer<typeof metadata>

export function parseModalMetadata(text: string): ModalMetadata | undefined {
  try {
    return metadata.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

interface Question {
  readonly callbackId: string
  readonly title: string
  readonly submit: string
  readonly fields: readonly Field[]
}

interface Field {
  readonly id: string
  readonly label: string
  readonly multiline: boolean
  readonly max: number
}

/** `title` and the names of buttons: 24 characters at most. */
export const QUESTIONS = {
  refuse: {
    callbackId: MODALS.refuse,
    title: 'Refuse the proposal',
    submit: 'Refuse',
    fields: [{ id: 'reason', label: 'Why? (others will read it)', multiline: true, max: 2000 }],
  },
  wrong: {
    callbackId: MODALS.wrong,
    title: 'The diagnosis was wrong',
    submit: 'Tell Midwatch',
    fields: [
      { id: 'service', label: 'Which service was it really?', multiline: false, max: 200 },
      { id: 'text', label: 'What was it?', multiline: true, max: 3000 },
    ],
  },
} as const satisfies Record<string, Question>

export const modal = ({ callbackId, title, submit, fields }: Question, about: ModalMetadata): types.ModalView => ({
  type: 'modal',
  callback_id: callbackId,
  private_metadata: JSON.stringify(about),
  title: { type: 'plain_text', text: title },
  submit: { type: 'plain_text', text: submit },
  close: { type: 'plain_text', text: 'Cancel' },
  blocks: fields.map(({ id, label, multiline, max }) => ({
    type: 'input' as const,
    block_id: id,
    optional: true,
    label: { type: 'plain_text' as const, text: label },
    element: { type: 'plain_text_input' as const, action_id: id, multiline, max_length: max },
  })),
})

type Values = Readonly<Record<string, Readonly<Record<string, { readonly value?: string | null | undefined }>>>>

/** What was written into a field; undefined where nothing was. */
export function answerTo(values: Values, field: string): string | undefined {
  const given = values[field]?.[field]?.value?.trim()
  return given === undefined || given === '' ? undefined : given
}
