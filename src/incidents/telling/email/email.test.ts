import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { Secret } from '../../../core/secret.ts'
import { LOOPBACK_CERTIFICATE } from '../testing/loopback-certificate.ts'
import { type MailServer, refusal, serveMail } from '../testing/mail-server.ts'
import { makeNews } from '../testing/news.ts'
import { createEmail, type EmailOptions } from './email.ts'
import { writeLetter } from './letter.ts'

const never = new AbortController().signal
const folder = mkdtempSync(join(tmpdir(), 'midwatch-mail-'))
let server: MailServer
afterEach(() => server?.close())

async function email(options: Partial<EmailOptions> = {}, mail: Parameters<typeof serveMail>[0] = {}) {
  server = await serveMail(mail)
  return createEmail({
    host: '127.0.0.1',
    port: server.port,
    tls: 'none',
    from: 'Midwatch <midwatch@example.com>',
    to: ['ada@example.com'],
    news: ['diagnosed', 'closed'],
    ...options,
  })
}
const header = (raw: string, name: string): string | undefined =>
  new RegExp(`^${name}: (.*(?:\\r\\n[ \\t].*)*)`, 'im').exec(raw)?.[1]?.replaceAll(/\r\n\s+/g, ' ')

describe('a letter', () => {
  test('begins a thread that the later ones go on with, and says that a machine wrote it', async () => {
    const channel = await email()
    const { news, traces } = makeNews()
    expect(await channel.tell(news, never)).toBe('Sent by e-mail to ad…@example.com: diagnosed.')
    const [trace] = traces
    await channel.tell(
      makeNews({ kind: 'closed', ...(trace ? { trace } : {}), incident: { state: 'closed' } }).news,
      never,
    )
    const [first, second] = server.mails.map(({ raw }) => raw)
    expect(header(first ?? '', 'Message-ID')).toBe(trace?.reference)
    expect(header(first ?? '', 'In-Reply-To')).toBeUndefined()
    expect(header(second ?? '', 'In-Reply-To')).toBe(trace?.reference)
    expect(header(second ?? '', 'References')).toBe(trace?.reference)
    expect(header(first ?? '', 'Subject')).toBe('[incident 7] HighErrorRate on storefront')
    expect(header(second ?? '', 'Subject')).toBe(header(first ?? '', 'Subject'))
    expect(header(first ?? '', 'Auto-Submitted')).toBe('auto-generated')
    expect(first).toContain('multipart/alternative')
  })

  test('goes to whom the route names, and to nobody that is smuggled in', async () => {
    const channel = await email()
    await channel.tell(makeNews({ to: 'grace@example.com, alan@example.com' }).news, never)
    expect(server.mails[0]?.to).toEqual(['grace@example.com', 'alan@example.com'])
    for (const to of ['a@b.c\r\nBcc: eve@example.com', 'a@b.c> RCPT TO:<eve@example.com', '"x"@b.c', 'a', ''])
      await expect(channel.tell(makeNews({ to }).news, never)).rejects.toThrow('no e-mail address')
    expect(server.mails).toHaveLength(1)
  })

  test('has no header but ours, whatever somebody wrote', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (title, more) => {
        const { news } = makeNews({ incident: { title: `${title}\r\nBcc: eve@example.com\n${more}`, sentence: title } })
        const { subject, messageId } = writeLetter(news, 'example.com')
        expect(subject).not.toMatch(/[\r\n]/)
        expect(messageId).toMatch(/^<midwatch\.[0-9a-f]{32}@example\.com>$/)
      }),
    )
  })

  test('is not sent twice to those who took it where another could not yet', async () => {
    const channel = await email({ to: ['ada@example.com', 'grace@example.com'] })
    const { news } = makeNews()
    server.faultAt = (_nth, _step, address) =>
      address === 'grace@example.com' ? refusal(451, 'Greylisted, try again later') : undefined
    await expect(channel.tell(news, never)).rejects.toThrow('Greylisted, try again later')
    server.faultAt = () => undefined
    await channel.tell(news, never)
    expect(server.mails.map(({ to }) => to)).toEqual([['ada@example.com'], ['grace@example.com']])
  })

  test('says who refused it for good, and that is that', async () => {
    const channel = await email({ to: ['ada@example.com', 'grace@example.com'] })
    server.faultAt = (_nth, _step, address) =>
      address === 'grace@example.com' ? refusal(550, 'No such user') : undefined
    expect(await channel.tell(makeNews().news, never)).toMatch(/1 of them refused: .*No such user/)
  })

  test('that comes after the end is not worth a wake-up', async () => {
    const channel = await email()
    expect(await channel.tell(makeNews({ incident: { state: 'closed' } }).news, never)).toBeUndefined()
    expect(server.mails).toEqual([])
  })
})

describe('the connection to the mail server', () => {
  test('is encrypted and logged in where its certificate is trusted', async () => {
    const caFile = join(folder, 'ca.pem')
    writeFileSync(caFile, LOOPBACK_CERTIFICATE)
    const logins: string[] = []
    const channel = await email(
      { tls: 'starttls', host: 'localhost', caFile, user: 'midwatch', password: new Secret('hush') },
      {
        onAuth: ({ username, password }, { secure }, done) => {
          logins.push(`${username} ${password} ${secure}`)
          done(null, { user: username })
        },
      },
    )
    await channel.tell(makeNews().news, never)
    expect(logins).toEqual(['midwatch hush true'])
    expect(server.mails[0]?.isEncrypted).toBe(true)
    rmSync(folder, { recursive: true, force: true })
  })

  test('is given up where it cannot be encrypted, before anything is said', async () => {
    const channel = await email({ tls: 'starttls' }, { hideSTARTTLS: true, disabledCommands: ['STARTTLS'] })
    await expect(channel.tell(makeNews().news, never)).rejects.toThrow('it offers no encryption that can be trusted')
    expect(server.steps).not.toContain('mail')
  })

  test('is given up where the certificate is a stranger’s', async () => {
    const channel = await email({ tls: 'starttls' })
    await expect(channel.tell(makeNews().news, never)).rejects.toThrow('caFile')
    expect(server.mails).toEqual([])
  })

  test('that repeats a password does not get it told', async () => {
    const plain = Buffer.from('\0midwatch\0hush-hush').toString('base64')
    const channel = await email(
      { user: 'midwatch', password: new Secret('hush-hush') },
      {
        allowInsecureAuth: true,
        authMethods: ['PLAIN'],
        onAuth: (_auth, _session, done) => done(refusal(535, `Invalid login ${plain} hush-hush`)),
      },
    )
    const failure = channel.tell(makeNews().news, never)
    await expect(failure).rejects.toThrow('it does not accept user and password of agent.notify.email')
    const { message } = (await failure.catch((error: Error) => error)) as Error
    expect(message).not.toMatch(/hush/)
    expect(message).not.toContain(plain)
  })
})
