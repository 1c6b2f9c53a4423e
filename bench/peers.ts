// The peers that others make. One that is not installed, or does not start, is left out of the bench with the reason.
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { type Child, freePort, startListener } from './processes.ts'

export interface Peer extends Child {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

/** One worker, as every other subject has one process; it passes bytes on and reads none of them. */
export async function startNginx(folder: string, origin: string): Promise<Peer> {
  const port = await freePort()
  const prefix = join(folder, 'nginx')
  mkdirSync(prefix)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${kind};`)
  writeFileSync(
    join(prefix, 'nginx.conf'),
    `daemon off;
pid nginx.pid;
error_log stderr error;
worker_processes 1;
events { worker_connections 4096; }
http {
  access_log off;
  ${temporary.join(' ')}
  client_body_buffer_size 128k;
  keepalive_requests 100000000;
  upstream provider { server ${new URL(origin).host}; keepalive 512; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }
  }
}
`,
  )
  const child = await startListener('nginx', ['-p', prefix, '-e', 'stderr', '-c', join(prefix, 'nginx.conf')], port)
  return { ...child, url: `http://127.0.0.1:${port}`, headers: {} }
}

/** From npm, as `npx @portkey-ai/gateway` starts it. */
export async function startPortkey(_folder: string, origin: string): Promise<Peer> {
  const port = await freePort()
  const script = fileURLToPath(import.meta.resolve('@portkey-ai/gateway/build/start-server.js'))
  const child = await startListener(process.execPath, [script, `--port=${port}`, '--headless'], port)
  const headers = {
    authorization: 'Bearer bench',
    'x-portkey-provider': 'openai',
    'x-portkey-custom-host': `${origin}/v1`,
  }
  return { ...child, url: `http://127.0.0.1:${port}`, headers }
}
