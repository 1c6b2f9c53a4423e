// What every caller of the bench sends, and how the provider's streams look.
export const CHUNKS_A_STREAM = 100
export const CHUNK_EVERY_MS = 5

const MESSAGES = [
  { role: 'system', content: 'You are a helpful assistant. '.repeat(10) },
  { role: 'user', content: 'Explain what a reverse proxy does, in one short paragraph. '.repeat(5) },
]

export const PLAIN_BODY = Buffer.from(JSON.stringify({ model: 'bench', messages: MESSAGES, temperature: 0.2 }))
export const STREAM_BODY = Buffer.from(JSON.stringify({ model: 'bench', messages: MESSAGES, stream: true }))
