// The platform over HTTP, for the actions of the on-call agent. Every request that changes something carries an
// idempotency key: a header of its own, so that no web page can send it by accident or malice.
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { z } from 'zod'
import { AppError, toAppError } from '../../src/core/errors.ts'
import type { OperationJournal } from './operations.ts'
import { type Authored, type Done, FLAGS, type FlagName, type Operation, type ServiceName } from './platform.ts'
import { isService } from './plan.ts'

/** What the address can do. */
export interface PlatformControls {
  rollBack(service: ServiceName, to: string | undefined, by: Authored): Promise<Done>
  takeBack(service: ServiceName, changeId: string, by: Authored): Promise<Done>
  restart(service: ServiceName, by: Authored): Promise<Done>
  scaleBy(service: ServiceName, count: (present: number) => number, by: Authored): Promise<Done>
  setFlag(flag: FlagName, to: 'on' | 'off', by: Authored): Promise<Done>
}

const AGENT: Authored = { author: 'midwatch' }
const MAX_BODY_BYTES = 16 * 1024

const whole = z.coerce.number().int()
const rollBackBody = z.object({ to: z.string().min(1).optional(), change: z.string().min(1).optional() })
const scaleBody = z.union([z.object({ to: whole }), z.object({ by: whole })])
const flagBody = z.object({ to: z.enum(['on', 'off']) })

export function createPlatformApi(controls: PlatformControls, journal: OperationJournal): Server {
  return createServer((request, response) => {
    const reply = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    answer(request).then(
      (operation) => reply(operation.state === 'failed' ? 500 : 200, operation),
      (thrown: unknown) => {
        const error = toAppError(thrown)
        reply(error.status, { error: { code: error.code, message: error.message } })
      },
    )
  })

  async function answer(request: IncomingMessage): Promise<Operation> {
    const path = new URL(request.url ?? '/', 'http://platform').pathname.split('/').filter(Boolean).map(decode)
    const [version, area, name = '', verb] = path
    if (version !== 'v1') throw new AppError('not_found')
    if (request.method === 'GET' && area === 'operations' && path.length === 3) {
      const found = journal.find(name)
      if (!found) throw new AppError('not_found', `No operation with the key ${name} has arrived.`)
      return found
    }
    if (request.method !== 'POST') throw new AppError('not_found')
    const body = await readJson(request)
    const key = request.headers['idempotency-key']
    if (typeof key !== 'string' || key === '')
      throw new AppError('malformed', 'Send an idempotency-key header: it makes sure that nothing is done twice.')
    if (area === 'flags' && path.length === 3) return toggle(key, name, body)
    if (area === 'services' && path.length === 4) return act(key, name, verb, body)
    throw new AppError('not_found')
  }

  function toggle(key: string, name: string, body: unknown): Promise<Operation> {
    if (!(name in FLAGS)) throw new AppError('not_found', `There is no flag called ${name}.`)
    const { to } = parse(flagBody, body)
    return journal.run({ key, action: 'flag', target: name, to }, async () => {
      const { changeId } = await controls.setFlag(name as FlagName, to, AGENT)
      return `change ${changeId}`
    })
  }

  function act(key: string, service: string, verb: string | undefined, body: unknown): Promise<Operation> {
    if (!isService(service)) throw new AppError('not_found', `There is no service called ${service}.`)
    const run = (action: Operation['action'], to: string | undefined, work: () => Promise<Done>) =>
      journal.run({ key, action, target: service, to }, async () => `change ${(await work()).changeId}`)
    switch (verb) {
      case 'rollback': {
        const { to, change } = parse(rollBackBody, body ?? {})
        if (change !== undefined) return run('rollback', change, () => controls.takeBack(service, change, AGENT))
        return run('rollback', to, () => controls.rollBack(service, to, AGENT))
      }
      case 'restart':
        return run('restart', undefined, () => controls.restart(service, AGENT))
      case 'scale': {
        const wanted = parse(scaleBody, body)
        const count = (present: number) => ('to' in wanted ? wanted.to : present + wanted.by)
        const to = 'to' in wanted ? String(wanted.to) : `by ${wanted.by}`
        return run('scale', to, () => controls.scaleBy(service, count, AGENT))
      }
      default:
        throw new AppError('not_found', `A service can be rolled back, restarted and scaled, not ${verb}.`)
    }
  }
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new AppError('malformed', 'The address is not understood.')
  }
}

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new AppError('malformed', `${issue?.path.join('.') || 'body'}: ${issue?.message}`)
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) throw new AppError('too_large')
    chunks.push(chunk)
  }
  if (bytes === 0) return undefined
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch (error) {
    throw new AppError('malformed', 'The body is not JSON.', { cause: error })
  }
}
