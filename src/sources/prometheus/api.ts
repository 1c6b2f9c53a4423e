// Prometheus' HTTP API: one call, bounded in time and size. Every failure is an AppError that names the source, with
// what Prometheus said as its cause.
import { z } from 'zod'
import { connectHttpApi, type HttpApiOptions, readAnswer } from '../http-api.ts'

/** The `data` of an answer, as `read` makes it out; what `read` throws is a failure of the source. */
export type PrometheusApi = <T>(
  path: string,
  parameters: readonly (readonly [string, string])[],
  read: (data: unknown) => T,
  signal: AbortSignal,
) => Promise<T>

const envelope = z.object({ status: z.enum(['success', 'error']), data: z.unknown().optional() })
const refusal = z.object({
  status: z.literal('error'),
  errorType: z.string().default(''),
  error: z.string().default(''),
})

export function connectApi(options: Omit<HttpApiOptions, 'kind'>): PrometheusApi {
  const api = connectHttpApi({ ...options, kind: 'Prometheus' })
  return async (path, parameters, read, signal) => {
    const answer = await api.ask({ path: `/api/v1/${path}`, parameters }, signal)
    return readAnswer(api, answer, (json) => read(envelope.parse(json).data), refusalOf)
  }
}

/** `bad_data: parse error`, where the answer is a refusal. */
function refusalOf(json: unknown): string | undefined {
  const said = refusal.safeParse(json).data
  return said && `${said.errorType}: ${said.error}`
}
