// `midwatch oncall`: who is woken now, when it changes, when nobody is there, and who stands in.
import { Command, InvalidArgumentError } from 'commander'
import { msOfIso } from '../core/read-time.ts'
import { spellMoment } from '../core/zoned-time.ts'
import { type OncallView, oncallView } from '../incidents/routing/oncall.ts'
import { overrideView, type OverrideView } from '../incidents/routing/overrides.ts'
import { callServer, type ServerOptions, withCommonOptions } from './client.ts'
import { durationIn } from './duration.ts'

type Options = ServerOptions & { readonly json?: boolean }

export function oncallCommand(): Command {
  const oncall = new Command('oncall').description('who is on call, and who stands in')
  oncall.addCommand(showCommand(), { isDefault: true })
  oncall.addCommand(overrideCommand())
  oncall.addCommand(endCommand())
  return oncall
}

function showCommand(): Command {
  return withCommonOptions(new Command('show'))
    .description('who is on call in every schedule, who follows, and the gaps')
    .option('--at <time>', 'then rather than now: 2026-12-24T18:00:00+01:00', parseTime)
    .option('--days <n>', 'how far ahead to look for gaps', '14')
    .action(async (options: Options & { readonly at?: string; readonly days: string }) => {
      const query = new URLSearchParams({
        days: options.days,
        ...(options.at === undefined ? {} : { at: options.at }),
      })
      const view = await callServer(options, `/v1/oncall?${query.toString()}`, oncallView)
      console.log(options.json ? JSON.stringify(view) : render(view))
    })
}

function overrideCommand(): Command {
  return withCommonOptions(new Command('override'))
    .description('somebody stands in on a schedule for a while')
    .argument('<schedule>', 'as payments/primary')
    .argument('<person>', 'as the team is listed in the config')
    .requiredOption('--for <duration>', 'how long: 8h, 2d, 1w', durationIn(['m', 'h', 'd', 'w']))
    .requiredOption('--reason <text>', 'why')
    .option('--from <time>', 'when it begins (default: now)', parseTime)
    .action(
      async (
        schedule: string,
        person: string,
        options: Options & { readonly for: number; readonly reason: string; readonly from?: string },
      ) => {
        const [team = '', name = ''] = schedule.split('/')
        const made = await callServer(options, '/v1/oncall/overrides', overrideView, {
          method: 'POST',
          json: {
            team,
            schedule: name,
            person,
            durationSeconds: options.for,
            reason: options.reason,
            ...(options.from === undefined ? {} : { from: options.from }),
          },
        })
        console.log(options.json ? JSON.stringify(made) : renderOverride(made, 'UTC'))
      },
    )
}

function endCommand(): Command {
  return withCommonOptions(new Command('end'))
    .description('end an override now')
    .argument('<id>', 'the id of the override')
    .action(async (id: string, options: Options) => {
      const path = `/v1/oncall/overrides/${encodeURIComponent(id)}`
      const ended = await callServer(options, path, overrideView, { method: 'DELETE' })
      console.log(options.json ? JSON.stringify(ended) : `${ended.person} stands in no more.`)
    })
}

function parseTime(text: string): string {
  const ms = msOfIso(text)
  if (ms === undefined) throw new InvalidArgumentError('Write a time such as 2026-12-24T18:00:00+01:00.')
  return new Date(ms).toISOString()
}

const GAPS_TOLD = 5

function render({ at, until, schedules, overrides }: OncallView): string {
  if (schedules.length === 0) return 'There are no schedules. See agent.teams in the config.'
  const zones = new Map(schedules.map(({ team, schedule, timeZone }) => [`${team}/${schedule}`, timeZone]))
  const lines = schedules.flatMap(({ team, schedule, timeZone, name, rule, next, gaps }) => {
    const then = next === null ? '' : `\n  from ${spellMoment(timeZone, next.from)}: ${next.person ?? 'NOBODY'}`
    const told = gaps
      .slice(0, GAPS_TOLD)
      .map(({ from, to }) => `\n  NOBODY from ${spellMoment(timeZone, from)} until ${spellMoment(timeZone, to)}`)
    const more = gaps.length > GAPS_TOLD ? `\n  and ${gaps.length - GAPS_TOLD} gaps more` : ''
    return `${team}/${schedule}: ${name ?? 'NOBODY'} (${rule})${then}${told.join('')}${more}`
  })
  const stands = overrides.map((one) => renderOverride(one, zones.get(`${one.team}/${one.schedule}`) ?? 'UTC'))
  const [zone = 'UTC'] = zones.values()
  return [
    `On call at ${spellMoment(zone, at)}; looked ahead until ${spellMoment(zone, until)}.`,
    ...lines,
    ...stands,
  ].join('\n')
}

const renderOverride = ({ id, team, schedule, person, from, to, by, reason }: OverrideView, zone: string): string =>
  `${id}  ${person} stands in on ${team}/${schedule} from ${spellMoment(zone, from)} until ${spellMoment(zone, to)}; by ${by}: ${reason}`
