// Letters over SMTP, encrypted unless it stays on this machine. SMTP has no way to say that a letter was sent before: where the
// answer to a whole letter is lost, it is sent again under the same Message-ID, and the mailbox may show one of the two or
// both. Who has taken it is remembered while we run, so that one address that refuses does not make the others get it twice.
import { readFileSync } from 'node:fs'
import { createTransport } from 'nodemailer'
import { orAborted } from '../../../core/deadline.ts'
import { AppError, describeError } from '../../../core/errors.ts'
import type { Secret } from '../../../core/secret.ts'
import { tellPlainly } from '../../told-text.ts'
import { type Channel, isAnswered, type News } from '../channel.ts'
import type { NewsKind } from '../news.ts'
import { type Letter, writeLetter } from './letter.ts'

export interface EmailOptions {
  readonly host: string
  readonly port: number
  /** `starttls`: the connection is turned into an encrypted one, or given up. `implicit`: it is one from the first byte. */
  readonly tls: 'starttls' | 'implicit' | 'none'
  /** Whom to trust beside the usual authorities. */
  readonly caFile?: string | undefined
  readonly user?: string | undefined
  readonly password?: Secret | undefined
  /** `Midwatch <midwatch@example.com>`, or the address alone. */
  readonly from: string
  readonly to: readonly string[]
  /** Which news are worth a letter. */
  readonly news: readonly NewsKind[]
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 60_000
const MOST_REMEMBERED = 1000
const MOST_RECIPIENTS = 50

export function createEmail(options: EmailOptions): Channel {
  const { host, port, tls, user, password, timeoutMs = TIMEOUT_MS } = options
  const name = `The mail server ${host}:${port}`
  const from = mailboxOf(options.from, 'agent.notify.email.from')
  const domain = from.slice(from.lastIndexOf('@') + 1)
  const transport = createTransport({
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    ...(user === undefined ? {} : { auth: { user, pass: password?.reveal() ?? '' } }),
    ...(options.caFile === undefined ? {} : { tls: { ca: [readCa(options.caFile)] } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  /** By Message-ID, who has taken it. */
  const taken = new Map<string, ReadonlySet<string>>()
  const secrets = secretsOf(user, password)

  /** What fails is told as ours. */
  const within = async <T>(signal: AbortSignal, what: string, work: (timeout: AbortSignal) => Promise<T>) => {
    const timeout = AbortSignal.timeout(timeoutMs)
    try {
      return await work(AbortSignal.any([signal, timeout]))
    } catch (error) {
      signal.throwIfAborted()
      if (timeout.aborted)
        throw new AppError('deadline', `${name} did not ${what} within ${timeoutMs} ms. It is tried again.`)
      throw failureOf(name, tls, error, secrets)
    }
  }
  const send = async (letter: Letter, to: readonly string[], signal: AbortSignal) => {
    const references = letter.inReplyTo
    return await within(signal, 'take the letter', (over) =>
      transport.sendMail({
        // All of them may know of each other: they are on call for the same.
        from: options.from,
        to: [...to],
        envelope: { from, to: [...to] },
        subject: letter.subject,
        text: letter.text,
        html: letter.html,
        messageId: letter.messageId,
        ...(references === undefined ? {} : { inReplyTo: references, references: [references] }),
        // RFC 3834: nobody's holiday answers it.
        headers: { 'auto-submitted': 'auto-generated', 'x-auto-response-suppress': 'All' },
        signal: over,
      }),
    )
  }

  return {
    name: 'email',
    wants: new Set(options.news),
    examine: async (signal) => {
      const recipients = recipientsOf(null, options.to)
      await within(signal, 'answer', (over) => orAborted(transport.verify(), over))
      return `${name} lets us in; letters go to ${recipients.map(hideAddress).join(', ')}`
    },
    async tell(news, signal) {
      if (isStale(news)) return undefined
      const recipients = recipientsOf(news.to, options.to)
      const letter = writeLetter(news, domain)
      const before = taken.get(letter.messageId) ?? new Set()
      const left = recipients.filter((one) => !before.has(one))
      const refusals: string[] = []
      if (left.length > 0) {
        const { accepted, rejectedErrors = [] } = await send(letter, left, signal)
        remember(taken, letter.messageId, new Set([...before, ...accepted]))
        const later = rejectedErrors.filter(({ responseCode }) => isPassing(responseCode))
        // Nothing is lost by leaving the trace twice, and the thread is lost without it.
        if (news.trace === undefined) await news.leave(traceOf(letter, recipients))
        if (later.length > 0) throw failureOf(name, tls, later[0], secrets)
        refusals.push(...rejectedErrors.map((error) => told(error, secrets)))
      } else if (news.trace === undefined) await news.leave(traceOf(letter, recipients))
      return [
        `Sent by e-mail to ${recipients.map(hideAddress).join(', ')}: ${news.kind}.`,
        ...(refusals.length === 0 ? [] : [`${refusals.length} of them refused: ${refusals.join('; ')}`]),
      ].join(' ')
    },
  }
}

/** A letter that comes late and tells what has passed only takes sleep. */
const isStale = (news: News): boolean =>
  isAnswered(news) || (news.incident.state === 'closed' && news.kind !== 'closed')

const traceOf = ({ messageId }: Letter, recipients: readonly string[]) => ({
  reference: messageId,
  title: `E-mail to ${recipients.map(hideAddress).join(', ')}`,
  url: null,
})

/** An address in a sentence that many read: enough to know whose it is. */
const hideAddress = (address: string): string => address.replace(/^(.{1,2})[^@]*@/, '$1…@')

/** Nothing but one mailbox: what is in it cannot begin another header, or another recipient. */
const MAILBOX = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$/

function mailboxOf(text: string, where: string): string {
  const [, inBrackets] = /^[^<>\r\n]*<([^<>]*)>$/.exec(text) ?? []
  const address = (inBrackets ?? text).trim()
  if (MAILBOX.test(address)) return address
  throw new AppError('malformed', `${where} has something that is no e-mail address. Write it as name@example.com.`)
}

function recipientsOf(to: string | null, usual: readonly string[]): readonly string[] {
  const given = to === null ? usual : to.split(',')
  const all = [...new Set(given.map((one) => mailboxOf(one.trim(), 'The list of recipients')))]
  if (all.length <= MOST_RECIPIENTS) return all
  throw new AppError('malformed', `A letter goes to at most ${MOST_RECIPIENTS} addresses. Name a mailing list instead.`)
}

const isPassing = (code: number | undefined): boolean => code === undefined || (code >= 400 && code < 500)

function remember(taken: Map<string, ReadonlySet<string>>, messageId: string, who: ReadonlySet<string>): void {
  taken.delete(messageId)
  taken.set(messageId, who)
  const [oldest] = taken.keys()
  if (taken.size > MOST_REMEMBERED && oldest !== undefined) taken.delete(oldest)
}

const ADVICE: Readonly<Record<string, string>> = {
  EAUTH: 'it does not accept user and password of agent.notify.email; put in new ones',
  ENOAUTH: 'it wants to know who sends; put user and password into agent.notify.email',
  EDNS: 'its name is not known; check agent.notify.email.host',
  EENVELOPE: 'it refuses the sender or all recipients; check from and to in agent.notify.email',
  EMESSAGE: 'it refuses the letter',
  ETIMEDOUT: 'it did not answer in time; it is tried again',
}

function failureOf(name: string, tls: EmailOptions['tls'], error: unknown, secrets: readonly string[]): AppError {
  const { code = '' } = error as { readonly code?: string }
  const advice =
    code === 'ETLS' || /certificate|self.signed|tls|ssl/i.test(describeError(error))
      ? tls === 'implicit'
        ? 'no trusted encrypted connection came about; check port, tls and caFile in agent.notify.email'
        : 'it offers no encryption that can be trusted, so that nothing was sent; check port, tls and caFile in agent.notify.email'
      : (ADVICE[code] ?? 'it could not be reached or did not take the letter; it is tried again')
  return new AppError('upstream', `${name}: ${advice}. It says: ${told(error, secrets)}`)
}

/** In each form in which a server may repeat it. */
function secretsOf(user: string | undefined, password: Secret | undefined): readonly string[] {
  const value = password?.reveal()
  if (value === undefined) return []
  const encode = (text: string): string => Buffer.from(text).toString('base64')
  return [value, encode(value), encode(`\0${user ?? ''}\0${value}`)]
}

/** What the server says, without what it may repeat of ours. */
function told(error: unknown, secrets: readonly string[]): string {
  let text = describeError(error)
  for (const secret of secrets) text = text.replaceAll(secret, '***')
  return tellPlainly(text.replaceAll(/\s+/g, ' ')).slice(0, 300).toWellFormed()
}

function readCa(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new AppError('malformed', `agent.notify.email.caFile cannot be read: ${describeError(error)}`)
  }
}
