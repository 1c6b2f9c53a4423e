// The buttons under a message and what they carry: ids alone, looked up and checked again when one is pressed. What a button
// says is decided by the incident as it stands, so that they vanish wherever it was decided.
import { z } from 'zod'
import type { ToldApproval, ToldIncident } from '../told-incident.ts'
import { type Block, type Button, label, MAX_BUTTON } from './mrkdwn.ts'

export const BUTTONS = {
  approve: 'midwatch_approve',
  refuse: 'midwatch_refuse',
  dryRun: 'midwatch_dry_run',
  acknowledge: 'midwatch_acknowledge',
  right: 'midwatch_right',
  wrong: 'midwatch_wrong',
} as const

const carried = z.object({
  incident: z.string().max(100),
  approval: z.string().max(200).optional(),
  /** It was shown with the second, deliberate act that a high risk asks for. */
  confirmed: z.boolean().optional(),
})
export type Carried = z.infer<typeof carried>

/** Undefined where it is not one of ours. */
export function parseCarried(value: string | undefined): Carried | undefined {
  if (value === undefined || value.length > 2000) return undefined
  try {
    return carried.safeParse(JSON.parse(value)).data
  } catch {
    return undefined
  }
}

const button = (actionId: string, text: string, value: Carried, more: Partial<Button> = {}): Button => ({
  type: 'button',
  action_id: actionId,
  text: label(text, MAX_BUTTON),
  value: JSON.stringify(value),
  ...more,
})

/** Of a proposal that waits. */
export function approvalButtons(incident: ToldIncident, approval: ToldApproval): Block {
  const value: Carried = { incident: incident.id, approval: approval.id }
  const confirm = approval.confirm ? { confirm: askAgain(approval) } : {}
  return {
    type: 'actions',
    block_id: 'midwatch_approval',
    elements: [
      button(BUTTONS.approve, 'Approve', { ...value, confirmed: approval.confirm }, { style: 'primary', ...confirm }),
      button(BUTTONS.refuse, 'Refuse …', value, { style: 'danger' }),
      button(BUTTONS.dryRun, 'What would happen?', value),
    ],
  }
}

/** Limits of Block Kit's confirmation: title 100, text 300, its buttons 30. */
const askAgain = ({ title, risk, touches }: ToldApproval): NonNullable<Button['confirm']> => ({
  title: label(`Risk ${risk} of 10: look again`, 100),
  text: label(`${title}. It touches ${touches}.`, 300),
  confirm: label('Yes, carry it out', 30),
  deny: label('No', 30),
})

/** Of the incident itself: undefined where there is nothing to press. */
export function incidentButtons({ id, state, cause }: ToldIncident): Block | undefined {
  const value: Carried = { incident: id }
  if (state !== 'closed')
    return {
      type: 'actions',
      block_id: 'midwatch_incident',
      elements: [button(BUTTONS.acknowledge, 'I look after it', value)],
    }
  if (cause === null) return undefined
  return {
    type: 'actions',
    block_id: 'midwatch_feedback',
    elements: [button(BUTTONS.right, 'The diagnosis was right', value), button(BUTTONS.wrong, 'It was wrong …', value)],
  }
}
