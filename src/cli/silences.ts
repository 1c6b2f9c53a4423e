// `midwatch silences`: hold back the alerts of work that is known, and let them through again.
import { Command } from 'commander'
import { utcMinute } from '../core/wall-clock.ts'
import { silenceList, silenceView, type SilenceView } from '../incidents/folding/silences.ts'
import { callServer, type ServerOptions, withCommonOptions } from './client.ts'
import { durationIn } from './duration.ts'

type Options = ServerOptions & { readonly json?: boolean; readonly all?: boolean }

export function silencesCommand(): Command {
  const silences = new Command('silences').description('hold back alerts for a while, and see what is held back')
  silences.addCommand(listCommand(), { isDefault: true })
  silences.addCommand(addCommand())
  silences.addCommand(endCommand())
  return silences
}

function listCommand(): Command {
  return withCommonOptions(new Command('list'))
    .description('the silences that hold now or will')
    .option('--all', 'those that ended too')
    .action(async (options: Options) => {
      const list = await callServer(options, `/v1/silences${options.all ? '?all=true' : ''}`, silenceList)
      if (options.json) console.log(JSON.stringify(list))
      else if (list.silences.length === 0) console.log('Nothing is silenced.')
      else for (const silence of list.silences) console.log(render(silence))
    })
}

function addCommand(): Command {
  return withCommonOptions(new Command('add'))
    .description('hold back alerts that match all of these')
    .argument('<matchers...>', 'label="value", label!="value", label=~"pattern", label!~"pattern"')
    .requiredOption('--for <duration>', 'how long: 30m, 2h, 1d', durationIn(['s', 'm', 'h', 'd', 'w']))
    .requiredOption('--comment <text>', 'why')
    .option('--from <time>', 'when it begins: 2026-11-28T02:00:00Z (default: now)')
    .action(async (matchers: string[], options: Options & { for: number; comment: string; from?: string }) => {
      const silence = await callServer(options, '/v1/silences', silenceView, {
        method: 'POST',
        json: {
          matchers,
          durationSeconds: options.for,
          comment: options.comment,
          ...(options.from === undefined ? {} : { startsAt: options.from }),
        },
      })
      console.log(options.json ? JSON.stringify(silence) : render(silence))
    })
}

function endCommand(): Command {
  return withCommonOptions(new Command('end'))
    .description('let through again what a silence holds back')
    .argument('<id>', 'the id of the silence')
    .action(async (id: string, options: Options) => {
      const path = `/v1/silences/${encodeURIComponent(id)}`
      const silence = await callServer(options, path, silenceView, { method: 'DELETE' })
      console.log(options.json ? JSON.stringify(silence) : `Ended: ${silence.matchers.join(', ')}.`)
    })
}

function render({ id, state, matchers, startsAt, endsAt, author, comment, holdsBack }: SilenceView): string {
  const when =
    state === 'pending'
      ? `from ${utcMinute(startsAt)} until ${utcMinute(endsAt)}`
      : `${state === 'ended' ? 'ended' : 'until'} ${utcMinute(endsAt)}`
  const held = holdsBack === 0 ? '' : `, holds back ${holdsBack} firing ${holdsBack === 1 ? 'alert' : 'alerts'}`
  return `${id}  ${matchers.join(', ')}\n  ${when}${held}; by ${author}: ${comment}`
}
