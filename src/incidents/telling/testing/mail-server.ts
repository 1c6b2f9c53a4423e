// A real SMTP server on loopback that keeps what it is sent, and can break at each step of taking a letter.
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { LOOPBACK_CERTIFICATE, LOOPBACK_KEY } from './loopback-certificate.ts'

export interface Mail {
  readonly from: string
  readonly to: readonly string[]
  readonly raw: string
  readonly isEncrypted: boolean
}

export type Step = 'connect' | 'mail' | 'rcpt' | 'data' | 'taken'

export interface MailServer {
  readonly port: number
  readonly mails: Mail[]
  /** Asked at each step, which count from 0: `cut` closes the connection, `hang` says nothing more, an error refuses. */
  faultAt: (nth: number, step: Step, address?: string) => 'cut' | 'hang' | Error | undefined
  readonly steps: Step[]
  close(): Promise<void>
}

export const refusal = (responseCode: number, message: string): Error =>
  Object.assign(new Error(message), { responseCode })

export async function serveMail(options: SMTPServerOptions = {}): Promise<MailServer> {
  const mails: Mail[] = []
  const steps: Step[] = []
  const sockets = new Set<{ destroy(): void }>()
  const meet = (step: Step, done: (error?: Error | null) => void, address?: string): void => {
    steps.push(step)
    const fault = mail.faultAt(steps.length - 1, step, address)
    if (fault === 'hang') return
    if (fault === 'cut') {
      for (const socket of sockets) socket.destroy()
      return
    }
    done(fault)
  }
  const server = new SMTPServer({
    key: LOOPBACK_KEY,
    cert: LOOPBACK_CERTIFICATE,
    authOptional: true,
    disableReverseLookup: true,
    logger: false,
    ...options,
    onConnect: (_session, done) => meet('connect', done),
    onMailFrom: (_address, _session, done) => meet('mail', done),
    onRcptTo: ({ address }, _session, done) => meet('rcpt', done, address),
    onData: (stream, session, done) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        meet('data', (refused) => {
          if (refused) return done(refused)
          const { mailFrom, rcptTo } = session.envelope
          mails.push({
            from: mailFrom === false ? '' : mailFrom.address,
            to: rcptTo.map(({ address }) => address),
            raw: Buffer.concat(chunks).toString(),
            isEncrypted: session.secure,
          })
          meet('taken', done)
        })
      })
    },
  })
  server.on('error', () => undefined)
  server.server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const at = server.server.address()
  const mail: MailServer = {
    port: at !== null && typeof at === 'object' ? at.port : 0,
    mails,
    steps,
    faultAt: () => undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
  return mail
}
