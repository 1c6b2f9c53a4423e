// Where Slack sends what people press. It has no key: it signs, which its handler checks over the bytes as they came.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Route } from '../exchange.ts'

export interface SlackRouteDeps {
  readonly handle: (request: IncomingMessage, response: ServerResponse, body: Buffer) => void
}

const MAX_BODY_BYTES = 1024 * 1024

/** `POST /v1/slack/events`: interactivity and, when the address is set, `url_verification`. */
export function slackRoutes({ handle }: SlackRouteDeps): Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/slack/events',
      scope: null,
      maxBodyBytes: MAX_BODY_BYTES,
      handle: async (exchange) => {
        const body = await exchange.body()
        handle(exchange.raw.request, exchange.raw.response, body)
        return 'streamed'
      },
    },
  ]
}
