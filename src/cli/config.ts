// `midwatch config check`: every problem of a config file at once, before a server is bothered with it.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { ConfigError } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { readSettings } from './settings.ts'

export function configCommand(): Command {
  return new Command('config').description('look at the configuration').addCommand(checkCommand())
}

function checkCommand(): Command {
  return new Command('check')
    .description('check midwatch.yaml and tell every problem at once')
    .argument('[file]', 'the file (default: midwatch.yaml)')
    .option('--config <file>', 'the same, as for all other commands')
    .option('--json', 'print {file, ok, problems}')
    .action((file: string | undefined, options: { config?: string; json?: boolean }) => {
      const { problems, name } = check(file ?? options.config)
      if (options.json) console.log(JSON.stringify({ file: name, ok: problems.length === 0, problems }))
      else if (problems.length === 0)
        console.log(name === null ? 'No midwatch.yaml here: the embedded default is used.' : `${name} is right.`)
      else console.error(`${name}:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`)
      process.exitCode = problems.length === 0 ? 0 : 1
    })
}

/**
 * Files of models that are not there. No problem of the config as such, which may be written before they are fetched:
 * Midwatch starts without them, and the provider fails.
 */
const missingModels = ({ providers }: Config): string[] =>
  Object.entries(providers).flatMap(([name, provider]) =>
    provider.kind === 'local' && !existsSync(provider.path)
      ? [`providers.${name}.path: there is no file ${provider.path}. Put a GGUF file there, or correct the path`]
      : [],
  )

function check(file: string | undefined): { name: string | null; problems: readonly string[] } {
  try {
    const { config, file: name } = readSettings(file)
    return { name, problems: missingModels(config) }
  } catch (error) {
    if (error instanceof ConfigError) return { name: resolve(error.file), problems: error.problems }
    throw error
  }
}
