// The built page, read into memory: what is not in this map cannot be asked for, so no path leads out of the folder.
// Each text file is compressed when it is first asked for and kept.
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

export type Encoding = 'br' | 'gzip' | 'identity'

export interface PageFile {
  readonly type: string
  readonly etag: string
  /** Its name holds the hash of its content, so it never changes. */
  readonly immutable: boolean
  bytes(encoding: Encoding): Promise<Uint8Array>
  readonly compressible: boolean
}

/** Address (`/assets/main-Bx1.js`) → file. */
export type PageFiles = ReadonlyMap<string, PageFile>

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
}

const PACKED_ALREADY = new Set(['.png', '.ico', '.woff2'])

/** Reads every regular file under `distDir`; links are not followed, hidden files are left out. */
export async function loadPageFiles(distDir: string): Promise<PageFiles> {
  const entries = await readdir(distDir, { recursive: true, withFileTypes: true })
  const files = new Map<string, PageFile>()
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name)
    const address = `/${relative(distDir, path).split(sep).join('/')}`
    if (entry.isFile() && !address.includes('/.')) files.set(address, pageFile(address, await readFile(path)))
  }
  return files
}

function pageFile(address: string, content: Buffer): PageFile {
  const extension = extname(address)
  const packed = new Map<Encoding, Promise<Uint8Array>>([['identity', Promise.resolve(content)]])
  return {
    type: TYPES[extension] ?? 'application/octet-stream',
    etag: `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`,
    immutable: address.startsWith('/assets/'),
    compressible: !PACKED_ALREADY.has(extension),
    bytes(encoding) {
      const known = packed.get(encoding) ?? compress(content, encoding)
      packed.set(encoding, known)
      return known
    },
  }
}

const toGzip = promisify(gzip)
const toBrotli = promisify(brotliCompress)

function compress(content: Buffer, encoding: Encoding): Promise<Uint8Array> {
  if (encoding === 'gzip') return toGzip(content, { level: 9 })
  return toBrotli(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } })
}

/** The best of what the client takes (RFC 9110, 12.5.3): brotli, then gzip, then as it is. */
export function chooseEncoding(acceptEncoding: string | undefined): Encoding {
  const refused = (quality: string | undefined): boolean => quality !== undefined && Number(quality) === 0
  const taken = new Set(
    (acceptEncoding ?? '')
      .split(',')
      .map((part) => /^\s*([\w*-]+)\s*(?:;\s*q=([\d.]+))?\s*$/.exec(part))
      .filter((match) => match !== null && !refused(match[2]))
      .map((match) => match?.[1]?.toLowerCase()),
  )
  return taken.has('br') ? 'br' : taken.has('gzip') ? 'gzip' : 'identity'
}
