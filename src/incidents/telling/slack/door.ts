// How answers come in: a Bolt app over one of its two receivers. Requests from Slack come to our own HTTP server and Bolt
// checks signature and age; or we hold a connection (Socket Mode). Each is answered at once, and what came of it is told to
// the one who pressed. Other workspaces' answers, repeated ones and what is not ours do nothing.
import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  App,
  HTTPReceiver,
  SocketModeReceiver,
  webApi,
  type BlockAction,
  type ButtonAction,
  type ViewSubmitAction,
} from '@slack/bolt'
import type { SlackConfig } from '../../../config/slack-schema.ts'
import type { Clock } from '../../../core/clock.ts'
import { AppError, toAppError } from '../../../core/errors.ts'
import type { Log } from '../../../observe/log.ts'
import { type AnswersDeps, createAnswers, type Said } from './answers.ts'
import { BUTTONS, parseCarried } from './buttons.ts'
import { createSlackClient, fetchUntil } from './client.ts'
import { createIdentity } from './identity.ts'
import { answerTo, modal, MODALS, type ModalMetadata, parseModalMetadata, QUESTIONS } from './modals.ts'
import { escape } from './mrkdwn.ts'
import { createPeople, type FindCaller } from './people.ts'
import { mayRespondTo } from './respond.ts'
import { createSeenOnce } from './seen-once.ts'
import { holdSocket } from './socket.ts'

export interface SlackDoorOptions extends Omit<AnswersDeps, 'people'> {
  readonly config: SlackConfig
  readonly findCaller: FindCaller
  readonly clock: Clock
  readonly log: Log
}

export interface SlackDoor {
  /** For `POST /v1/slack/events`; undefined where answers come over the connection. */
  readonly handle: ((request: IncomingMessage, response: ServerResponse, body: Buffer) => void) | undefined
  start(): void
  stop(): Promise<void>
}

export const SLACK_PATH = '/v1/slack/events'

/** Undefined where the config says of no way for answers to come back. */
export function createSlackDoor(options: SlackDoorOptions): SlackDoor | undefined {
  const { config, clock, log } = options
  const { signingSecret, appToken, apiUrl, botToken } = config
  if (signingSecret === undefined && appToken === undefined) return undefined
  const logger = loggerTo(log)
  const client = createSlackClient(config, clock)
  const identity = createIdentity(client)
  const answers = createAnswers({
    ...options,
    people: createPeople({ ...options, people: config.people, client, identity }),
  })
  const stopping = new AbortController()
  const { signal } = stopping
  const http = signingSecret
    ? new HTTPReceiver({ signingSecret: signingSecret.reveal(), endpoints: [SLACK_PATH, `${SLACK_PATH}/`], logger })
    : undefined
  const socket = appToken
    ? new SocketModeReceiver({
        appToken: appToken.reveal(),
        logger,
        // It would end the process with an unhandled rejection when its token is revoked; `holdSocket` connects again.
        autoReconnectEnabled: false,
        installerOptions: {
          clientOptions: { slackApiUrl: apiUrl, fetch: fetchUntil(signal), retryConfig: { retries: 0 } },
        },
      })
    : undefined
  const receiver = http ?? socket
  if (!receiver) return undefined
  const app = new App({
    receiver,
    logger,
    convoStore: false,
    clientOptions: {
      slackApiUrl: apiUrl,
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      fetch: (url, init) => {
        if (!mayRespondTo(String(url), apiUrl)) throw new AppError('forbidden', 'That is no address of Slack.')
        return fetchUntil(signal)(url, init)
      },
    },
    authorize: async ({ teamId }) => {
      const bot = await identity(signal)
      if (teamId !== bot.teamId)
        throw new AppError('forbidden', `An answer came from the workspace ${teamId ?? 'of none'}.`)
      return { botToken: botToken.reveal(), botId: bot.botId, botUserId: bot.userId, teamId: bot.teamId }
    },
  })
  app.error((error) => {
    log.warn({ err: error }, 'an answer from Slack was not taken')
    return Promise.resolve()
  })
  const isNew = createSeenOnce(clock)

  /** Acknowledges first: whoever presses waits three seconds at most. */
  const onButton = (
    actionId: string,
    work: (said: Said, body: BlockAction<ButtonAction>, web: webApi.WebClient) => Promise<string | undefined>,
  ): void =>
    app.action<BlockAction<ButtonAction>>(
      { action_id: actionId, type: 'block_actions' },
      async ({ ack, body, action, respond, client: web }) => {
        await ack()
        if (!isNew(body.trigger_id)) return
        const tell = (text: string) => respond({ response_type: 'ephemeral', replace_original: false, text })
        try {
          const bot = await identity(signal)
          // In a shared channel others may press who belong to another company.
          if (body.user.team_id !== undefined && body.user.team_id !== bot.teamId)
            throw new AppError('forbidden', 'Only people of the workspace to which Midwatch belongs can answer.')
          const said = saidBy(body, action)
          const text = await work(said, body, web)
          if (text !== undefined) await tell(text)
        } catch (error) {
          await tell(escape(refusalOf(error, log)))
        }
      },
    )
  const openQuestion =
    (question: (typeof QUESTIONS)[keyof typeof QUESTIONS]) =>
    async (said: Said, body: BlockAction, web: webApi.WebClient): Promise<undefined> => {
      await answers.check(said, signal)
      const { about, channel, ts } = said
      const kept: ModalMetadata = { incident: about.incident, approval: about.approval, channel, ts }
      await web.views.open({ trigger_id: body.trigger_id, view: modal(question, kept) })
      return undefined
    }
  /** What is wrong stands in the open question. */
  const onAnswer = (
    callbackId: string,
    field: string,
    work: (said: Said, answer: (field: string) => string | undefined) => Promise<unknown>,
  ): void =>
    app.view<ViewSubmitAction>({ callback_id: callbackId, type: 'view_submission' }, async ({ ack, body, view }) => {
      const refuse = (text: string) => ack({ response_action: 'errors', errors: { [field]: text } })
      if (!isNew(body.trigger_id)) return await ack()
      const kept = parseModalMetadata(view.private_metadata)
      if (!kept) return await refuse('Midwatch did not ask this.')
      const { channel, ts, ...about } = kept
      try {
        const said = { user: body.user.id, channel, ts, about }
        await work(said, (name) => answerTo(view.state.values, name))
        await ack()
      } catch (error) {
        await refuse(refusalOf(error, log))
      }
    })

  onButton(BUTTONS.approve, (said) => answers.approve(said, signal))
  onButton(BUTTONS.refuse, openQuestion(QUESTIONS.refuse))
  onButton(BUTTONS.dryRun, (said) => answers.dryRun(said, signal))
  onButton(BUTTONS.acknowledge, (said) => answers.acknowledge(said, signal))
  onButton(BUTTONS.right, (said) => answers.feedback(said, { verdict: 'right' }, signal))
  onButton(BUTTONS.wrong, openQuestion(QUESTIONS.wrong))
  onAnswer(MODALS.refuse, 'reason', (said, answer) => answers.refuse(said, answer('reason'), signal))
  onAnswer(MODALS.wrong, 'text', (said, answer) =>
    answers.feedback(said, { verdict: 'wrong', service: answer('service'), text: answer('text') }, signal),
  )

  let held: Promise<void> | undefined
  return {
    handle:
      http &&
      ((request, response, body) => {
        const refused = refuseEarly(request, body, clock.now())
        if (refused === undefined) http.requestListener(Object.assign(request, { rawBody: body }), response)
        else response.writeHead(refused).end()
      }),
    start: () => {
      if (socket) held ??= holdSocket(socket, { clock, log, signal })
    },
    stop: async () => {
      stopping.abort(new AppError('unavailable', 'Midwatch is stopping.'))
      await held
    },
  }
}

const MAX_AHEAD_MS = 5 * 60_000

/**
 * The status of what Bolt would take and should not. It looks whether a request is too old, never whether it is of the
 * future, which would let it be sent again until then; and a body that is JSON but no object ends the process, by an
 * unhandled rejection.
 */
function refuseEarly({ headers }: IncomingMessage, body: Buffer, nowMs: number): 400 | 401 | undefined {
  if (Number(headers['x-slack-request-timestamp']) * 1000 - nowMs > MAX_AHEAD_MS) return 401
  const text = body.toString()
  const json =
    headers['content-type'] === 'application/x-www-form-urlencoded' ? new URLSearchParams(text).get('payload') : text
  if (json === null) return undefined
  try {
    const parsed: unknown = JSON.parse(json)
    return typeof parsed === 'object' && parsed !== null ? undefined : 400
  } catch {
    return 400
  }
}

/** Throws `malformed` where the button is not one of ours. */
function saidBy(body: BlockAction, { value }: ButtonAction): Said {
  const about = parseCarried(value)
  const channel = body.channel?.id ?? String(body.container['channel_id'] ?? '')
  const ts = String(body.container['message_ts'] ?? '')
  if (!about) throw new AppError('malformed', 'Midwatch does not know this button.')
  return { user: body.user.id, channel, ts, about }
}

function refusalOf(thrown: unknown, log: Log): string {
  const error = toAppError(thrown instanceof Error && thrown.cause instanceof AppError ? thrown.cause : thrown)
  if (error.code === 'internal') log.error({ err: thrown }, 'an answer from Slack failed')
  return error.message
}

/** Bolt's own lines: to the log, its debug lines (which hold what people wrote) nowhere. */
function loggerTo(log: Log) {
  const line =
    (level: 'debug' | 'warn') =>
    (...parts: unknown[]) =>
      log[level]({ slack: parts.map(String).join(' ').slice(0, 500) }, 'Slack')
  return {
    debug: () => undefined,
    info: () => undefined,
    warn: line('debug'),
    error: line('warn'),
    setLevel: () => undefined,
    getLevel: () => webApi.LogLevel.ERROR,
    setName: () => undefined,
  }
}
