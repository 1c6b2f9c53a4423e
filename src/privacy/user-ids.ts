// Stable pseudonyms for the ids of callers' users, in the fields in which providers take them. The key is made once and
// kept in the data folder; whoever does not have it cannot tell who is behind a pseudonym, not even by trying every id.
import { createHmac, randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../core/errors.ts'
import { layoutOf, type Member, type Splice, splice } from '../core/json-members.ts'
import { Secret } from '../core/secret.ts'

const KEY_FILE = 'user-id.key'
const KEY_BYTES = 32

/** The key in the data folder; made if there is none yet. Two processes that start together get the same. */
export function loadUserIdKey(dataDir: string): Secret {
  const file = join(dataDir, KEY_FILE)
  try {
    return readKey(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  // Written beside it and linked: there is a whole key under the name or none, whenever the process dies.
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`
  const handle = openSync(draft, 'wx', 0o600)
  try {
    writeSync(handle, randomBytes(KEY_BYTES).toString('hex'))
    fsyncSync(handle)
    linkSync(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    closeSync(handle)
    rmSync(draft, { force: true })
  }
  return readKey(file)
}

function readKey(file: string): Secret {
  const text = readFileSync(file, 'utf8').trim()
  if (!/^[0-9a-f]{64}$/.test(text)) {
    throw new AppError('internal', `${file} is not a key. Restore it, or remove it to begin with new pseudonyms.`)
  }
  return new Secret(text)
}

/** The same for the same tenant and id; ids of two tenants never share one. */
export function pseudonymOf(key: Secret, tenant: string, userId: string): string {
  const mac = createHmac('sha256', Buffer.from(key.reveal(), 'hex')).update(`${tenant}\0${userId}`).digest('base64url')
  return `user_${mac.slice(0, 27)}`
}

/** Any of the fields, also with its key escaped. */
const MAY_NAME_USER = /"(?:user|user_id|safety_identifier)"\s*:|\\u00/

/** The body with `user`, `safety_identifier` and `metadata.user_id` replaced; itself where none of them is set. */
export function anonymiseUsers(body: Buffer, key: Secret, tenant: string): Buffer {
  if (!MAY_NAME_USER.test(body.toString('latin1'))) return body
  const splices: Splice[] = []
  const replace = (from: number, { start, end }: Member, json: Buffer): void => {
    const value: unknown = JSON.parse(json.toString('utf8', start, end))
    if (typeof value !== 'string' || value === '') return
    splices.push({ start: from + start, end: from + end, text: JSON.stringify(pseudonymOf(key, tenant, value)) })
  }
  for (const member of layoutOf(body).members) {
    if (member.key === 'user' || member.key === 'safety_identifier') replace(0, member, body)
    if (member.key !== 'metadata' || body[member.start] !== 0x7b) continue
    const metadata = body.subarray(member.start, member.end)
    for (const inner of layoutOf(metadata).members) if (inner.key === 'user_id') replace(member.start, inner, metadata)
  }
  return splices.length === 0 ? body : splice(body, splices)
}
