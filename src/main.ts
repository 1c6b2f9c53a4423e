// The command line. Exit codes: 0 done, 1 found a problem, 2 wrong usage. Data on stdout, everything else on stderr.
import { Command, CommanderError } from 'commander'
import { VERSION } from './app.ts'
import { collectionsCommand } from './cli/collections.ts'
import { actionsCommand, resumeActingCommand, stopActingCommand } from './cli/acting.ts'
import { askCommand } from './cli/ask.ts'
import { auditCommand } from './cli/audit.ts'
import { configCommand } from './cli/config.ts'
import { detectCommand } from './cli/detect.ts'
import { diagnoseCommand } from './cli/diagnose.ts'
import { doctorCommand } from './cli/doctor.ts'
import { incidentsCommand } from './cli/incidents.ts'
import { ingestCommand } from './cli/ingest.ts'
import { investigateCommand } from './cli/investigate.ts'
import { keysCommand } from './cli/keys.ts'
import { logsCommand } from './cli/logs.ts'
import { lessonsCommand } from './cli/lessons.ts'
import { mcpCommand } from './cli/mcp.ts'
import { oncallCommand } from './cli/oncall.ts'
import { reportCommand } from './cli/report.ts'
import { searchCommand } from './cli/search.ts'
import { replayCommand } from './cli/replay.ts'
import { silencesCommand } from './cli/silences.ts'
import { startCommand } from './cli/start.ts'
import { describeError } from './core/errors.ts'

const program = new Command('midwatch')
  .description('One door for every model call, and an on-call agent that finds the cause with evidence.')
  .version(VERSION)
  .showHelpAfterError('Run with --help to see what it takes.')
  .addCommand(startCommand())
  .addCommand(incidentsCommand())
  .addCommand(silencesCommand())
  .addCommand(oncallCommand())
  .addCommand(replayCommand())
  .addCommand(actionsCommand())
  .addCommand(stopActingCommand())
  .addCommand(resumeActingCommand())
  .addCommand(investigateCommand())
  .addCommand(askCommand())
  .addCommand(keysCommand())
  .addCommand(auditCommand())
  .addCommand(diagnoseCommand())
  .addCommand(detectCommand())
  .addCommand(logsCommand())
  .addCommand(reportCommand())
  .addCommand(lessonsCommand())
  .addCommand(mcpCommand())
  .addCommand(ingestCommand())
  .addCommand(searchCommand())
  .addCommand(collectionsCommand())
  .addCommand(configCommand())
  .addCommand(doctorCommand())

for (const command of [program, ...program.commands, ...program.commands.flatMap((c) => c.commands)])
  command.exitOverride()

// A reader that has seen enough (`midwatch incidents | head`) is not a failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2)
  console.error(`midwatch: ${describeError(error)}`)
  process.exit(1)
}
