// Serves the page: its files as they are, and its shell at every other address a person may type, for the rooms are
// drawn in the browser. Never answers under /v1, so that a mistyped API address is a 404 in the API's own words.
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../core/errors.ts'
import type { Exchange, Reply, Route } from '../exchange.ts'
import { chooseEncoding, loadPageFiles, type PageFile, type PageFiles } from '../page-files.ts'

/** No inline script or style, nothing from elsewhere, no frame around it, and no way to turn text into markup. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "font-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const SECURITY_HEADERS = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

// Every address but /v1 and what lies under it; the API's fixed addresses come before these in the router.
const ROOM = '/:room(^(?!v1$).*$)'

/** `distDir` is where the built page lies; it is read at the first request, and again when it was built anew. */
export function pageRoutes(distDir: string): Route[] {
  const files = filesOf(distDir)
  const handle = async (exchange: Exchange): Promise<Reply> => {
    const path = decodePath(exchange.url.pathname)
    const built = await files()
    if (!built) return notBuilt()
    const file = built.get(path)
    if (file && path !== '/index.html') return fileReply(file, exchange)
    const wantsPage = path === '/' || (exchange.headers.accept ?? '').includes('text/html')
    const shell = built.get('/index.html')
    if (!shell || !wantsPage || path.startsWith('/assets/'))
      throw new AppError('not_found', `There is nothing at ${path}.`)
    return fileReply(shell, exchange)
  }
  return ['/', ROOM, `${ROOM}/*`].map((path) => ({ method: 'GET', path, scope: null, handle }))
}

function decodePath(pathname: string): string {
  try {
    return decodeURIComponent(pathname)
  } catch {
    throw new AppError('malformed', 'The address holds a % that is not followed by two hex digits.')
  }
}

/** The files, or undefined while there is no page yet. */
function filesOf(distDir: string): () => Promise<PageFiles | undefined> {
  let builtAtMs: number | undefined
  let files: Promise<PageFiles> | undefined
  return async () => {
    const shell = await stat(join(distDir, 'index.html')).catch(() => undefined)
    if (!shell) return undefined
    if (!files || shell.mtimeMs !== builtAtMs) {
      builtAtMs = shell.mtimeMs
      files = loadPageFiles(distDir)
      // A build that was under way is read again at the next request.
      files.catch(() => (files = undefined))
    }
    return files
  }
}

async function fileReply(file: PageFile, exchange: Exchange): Promise<Reply> {
  const encoding = file.compressible ? chooseEncoding(exchange.headers['accept-encoding']) : 'identity'
  const headers: Record<string, string> = {
    ...SECURITY_HEADERS,
    'content-type': file.type,
    'cache-control': file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    // Weak, for the same content goes out in several encodings.
    etag: `W/${file.etag}`,
    vary: 'accept-encoding',
    ...(encoding === 'identity' ? {} : { 'content-encoding': encoding }),
  }
  if (exchange.headers['if-none-match']?.includes(file.etag)) {
    delete headers['content-encoding']
    return { status: 304, headers, body: '' }
  }
  return { status: 200, headers, body: await file.bytes(encoding) }
}

/** Said instead of the page until there is one; it looks again by itself. */
function notBuilt(): Reply {
  return {
    status: 503,
    headers: {
      ...SECURITY_HEADERS,
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'retry-after': '3',
    },
    body: `<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="3">
<title>Midwatch</title><h1>The page is not built yet</h1>
<p>If Midwatch has just started, it is being built now and appears here by itself in a few seconds.
Otherwise run <code>npm run build</code>. The terminal command <code>midwatch incidents</code> shows the same.</p></html>`,
  }
}
