// Which config file a command reads: the one named, else midwatch.yaml here, else the embedded default.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { defaultConfig, loadConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'

const DEFAULT_FILE = 'midwatch.yaml'

export interface Settings {
  readonly config: Config
  /** null: the embedded default. */
  readonly file: string | null
}

/** Throws ConfigError. */
export function readSettings(file: string | undefined): Settings {
  if (file !== undefined) return { config: loadConfig(file), file: resolve(file) }
  if (existsSync(DEFAULT_FILE)) return { config: loadConfig(DEFAULT_FILE), file: resolve(DEFAULT_FILE) }
  return { config: { ...defaultConfig(), data: resolve('data') }, file: null }
}
