// Where tests find node-llama-cpp: the folder in NODE_LLAMA_CPP that it was installed into. Without it, what needs it is
// skipped, and with REQUIRE_SERVICES=1 that is a failure.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Library } from '../library.ts'

export function findInstalled(): (() => Promise<Library>) | undefined {
  const folder = process.env['NODE_LLAMA_CPP']
  const path = folder === undefined ? undefined : join(folder, 'node_modules/node-llama-cpp/dist/index.js')
  if (path !== undefined && existsSync(path)) return async () => (await import(pathToFileURL(path).href)) as Library
  const how = 'Set NODE_LLAMA_CPP to a folder into which you ran "npm install --prefix FOLDER node-llama-cpp"'
  if (process.env['REQUIRE_SERVICES'] === '1') {
    throw new Error(`node-llama-cpp is not there, and REQUIRE_SERVICES=1 does not let a test be skipped. ${how}.`)
  }
  console.warn(`SKIPPED: node-llama-cpp is not there. ${how} to run what needs it.`)
  return undefined
}
