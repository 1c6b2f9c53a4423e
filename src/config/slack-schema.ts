// `agent.notify.slack`: a bot that tells people of incidents in Slack, and how their answers come back: to an address of
// ours that Slack signs its requests for, or over a connection that we open (Socket Mode). Without either it only tells.
import { z } from 'zod'
import { Secret } from '../core/secret.ts'
import { headerText, httpUrl } from './fields.ts'

const token = (start: string, what: string) =>
  headerText
    .regex(new RegExp(`^${start}`), `must be the ${what}, which begins with ${start}`)
    .transform((value) => new Secret(value))

const place = z
  .string()
  .regex(/^(#[^\s#,<>|]{1,80}|[CG][A-Z0-9]{5,20})$/, 'must be a channel such as "#oncall", or its id such as C0123ABCD')

export const slackSchema = z
  .strictObject({
    botToken: token('xoxb-', 'Bot User OAuth Token'),
    /** Where incidents are told whose route names no other place. */
    channel: place,
    /** For answers that Slack sends to `/v1/slack/events`. */
    signingSecret: z
      .string()
      .regex(/^[0-9a-f]{32}$/, 'must be the 32 characters of "Signing Secret" under Basic Information of the app')
      .transform((value) => new Secret(value))
      .optional(),
    /** For answers over a connection that Midwatch opens, where Slack cannot reach it. */
    appToken: token('xapp-', 'App-Level Token').optional(),
    /** A Slack user's id or e-mail address, and the name of the API key whose rights the person has. */
    people: z
      .record(
        z
          .string()
          .regex(
            /^([UW][A-Z0-9]{5,20}|[^\s@]+@[^\s@]+)$/,
            'must be the id of a Slack user such as U0123ABCD, or an e-mail address',
          ),
        z.string().min(1).max(200),
      )
      .default({}),
    /** Where people are told who are not engineers. */
    statusChannel: place.optional(),
    /** For Slack's other clouds (`https://slack-gov.com/api/`) and for proxies. */
    apiUrl: httpUrl.default('https://slack.com/api/'),
  })
  .refine(({ signingSecret, appToken }) => signingSecret === undefined || appToken === undefined, {
    path: ['appToken'],
    message: 'is for Socket Mode, signingSecret for requests from Slack: give the one that the app is set to',
  })

export type SlackConfig = z.output<typeof slackSchema>
