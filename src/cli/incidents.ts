// `midwatch incidents`: what is broken, why, and the decision, for someone at a terminal.
import { Command } from 'commander'
import { z } from 'zod'
import { AppError } from '../core/errors.ts'
import {
  alertList,
  approvalView,
  dryRunView,
  erasureView,
  incidentList,
  incidentView,
  type IncidentView,
  postmortemView,
  runbookView,
} from '../incidents/view.ts'
import { ackCommand, mergeCommand, splitCommand } from './folding.ts'
import { callServer, type ServerOptions, withCommonOptions } from './client.ts'
import { renderAlerts, renderDryRun, renderIncident, renderList } from './render-incident.ts'

type Options = ServerOptions & {
  readonly json?: boolean
  readonly reason?: string
  readonly yes?: boolean
  readonly all?: boolean
  readonly dryRun?: boolean
  readonly undoIfWorse?: boolean
}

export function incidentsCommand(): Command {
  const incidents = new Command('incidents').description('see incidents and decide on proposals')
  incidents.addCommand(listCommand(), { isDefault: true })
  incidents.addCommand(showCommand())
  incidents.addCommand(decideCommand('approve', 'let the proposed fix run, once'))
  incidents.addCommand(decideCommand('refuse', 'do not run the proposed fix'))
  incidents.addCommand(ackCommand())
  incidents.addCommand(mergeCommand())
  incidents.addCommand(splitCommand())
  incidents.addCommand(alertsCommand())
  incidents.addCommand(requestCommand())
  incidents.addCommand(runbookCommand())
  incidents.addCommand(postmortemCommand())
  incidents.addCommand(forgetCommand())
  return incidents
}

function listCommand(): Command {
  return withCommonOptions(new Command('list'))
    .description('the open incidents, newest first')
    .option('--all', 'the closed ones too')
    .action(async (options: Options) => {
      const list = await callServer(options, `/v1/incidents?state=${options.all ? 'all' : 'open'}`, incidentList)
      console.log(options.json ? JSON.stringify(list) : renderList(list))
    })
}

function showCommand(): Command {
  return withCommonOptions(new Command('show'))
    .description('one incident: the sentence, the evidence, the proposal, the timeline')
    .argument('<incident>', 'its number or id')
    .action(async (incident: string, options: Options) => {
      const view = await load(incident, options)
      console.log(options.json ? JSON.stringify(view) : renderIncident(view))
    })
}

function alertsCommand(): Command {
  return withCommonOptions(new Command('alerts'))
    .description('the latest alerts, with what was decided on each and why')
    .option('--decision <decision>', 'opened, joined, ignored, muted, waiting or not_understood')
    .option('--source <sender>', 'of one sender')
    .option('--limit <n>', 'how many', '50')
    .action(async (options: Options & { decision?: string; source?: string; limit: string }) => {
      const query = new URLSearchParams({
        limit: options.limit,
        ...(options.decision === undefined ? {} : { decision: options.decision }),
        ...(options.source === undefined ? {} : { source: options.source }),
      })
      const list = await callServer(options, `/v1/alerts?${query.toString()}`, alertList)
      console.log(options.json ? JSON.stringify(list) : renderAlerts(list.alerts))
    })
}

function runbookCommand(): Command {
  return withCommonOptions(new Command('runbook'))
    .description('draft a runbook, as Markdown, out of the closed incidents of the same trouble')
    .argument('<incident>', 'its number or id')
    .action(async (incident: string, options: Options) => {
      const draft = await callServer(options, `/v1/incidents/${encodeURIComponent(incident)}/runbook`, runbookView)
      console.log(options.json ? JSON.stringify(draft) : draft.markdown.trimEnd())
    })
}

function postmortemCommand(): Command {
  return withCommonOptions(new Command('postmortem'))
    .description('draft a post-mortem, as Markdown, out of what was recorded')
    .argument('<incident>', 'its number or id')
    .action(async (incident: string, options: Options) => {
      const path = `/v1/incidents/${encodeURIComponent(incident)}/postmortem`
      const draft = await callServer(options, path, postmortemView)
      console.log(options.json ? JSON.stringify(draft) : draft.markdown.trimEnd())
    })
}

function forgetCommand(): Command {
  return withCommonOptions(new Command('forget'))
    .description('erase what is remembered of closed incidents as cases; the incidents themselves stay')
    .argument('[incident]', 'its number or id')
    .option('--mentions <text>', 'instead: every case in which this text stands')
    .action(async (incident: string | undefined, options: Options & { readonly mentions?: string }) => {
      const { mentions } = options
      if ((incident === undefined) === (mentions === undefined))
        throw new AppError('malformed', 'Name one incident, or a text with --mentions.')
      const json = mentions === undefined ? { incident } : { mentions }
      const done = await callServer(options, '/v1/incidents/cases/erasures', erasureView, { method: 'POST', json })
      if (options.json) console.log(JSON.stringify(done))
      else if (done.erased.length === 0) console.log('No case was there to erase.')
      else console.log(`Erased: the case of incident ${done.erased.join(', ')}.`)
    })
}

const decidedView = z.looseObject({ approval: approvalView })

function requestCommand(): Command {
  return withCommonOptions(new Command('request'))
    .description(
      'ask for an action of the catalogue, or with --undo for an earlier one to be taken back; someone else approves it',
    )
    .argument('<incident>', 'its number or id')
    .argument('[action]', 'its name in the catalogue (see: midwatch actions)')
    .option('--service <name>', 'on which service; the cause of the incident unless told')
    .option('--set <name=value...>', 'values of parameters that have a type')
    .option('--undo <approval>', 'the approval whose action is to be taken back')
    .action(
      async (
        incident: string,
        action: string | undefined,
        options: Options & { readonly service?: string; readonly set?: readonly string[]; readonly undo?: string },
      ) => {
        const { service, undo, set = [] } = options
        if ((action === undefined) === (undo === undefined))
          throw new AppError('malformed', 'Name one action, or an approval with --undo.')
        const parameters = Object.fromEntries(set.map(readSetting))
        const json =
          undo === undefined ? { action, parameters, ...(service === undefined ? {} : { service }) } : { undo }
        const path = `/v1/incidents/${encodeURIComponent(incident)}/actions`
        const { approval } = await callServer(options, path, decidedView, { method: 'POST', json, timeoutMs: 60_000 })
        if (options.json) console.log(JSON.stringify({ approval }))
        else
          console.log(
            `Proposed: ${approval.action.title}. Risk ${approval.action.risk} of 10. Someone else has to approve it.`,
          )
      },
    )
}

function readSetting(text: string): readonly [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new AppError('malformed', `--set takes name=value, not ${text}.`)
  return [text.slice(0, at), text.slice(at + 1)]
}

function decideCommand(decision: 'approve' | 'refuse', description: string): Command {
  const command = withCommonOptions(new Command(decision))
    .description(description)
    .argument('<incident>', 'its number or id')
    .option('--reason <text>', 'why; kept in the timeline')
    .option('--yes', 'confirm a fix of high risk')
  if (decision === 'approve')
    command
      .option('--dry-run', 'only show what would run, whether it could now, and what the catalogue’s own trial says')
      .option('--undo-if-worse', 'take it back without asking again if it makes things worse')
  return command.action(async (incident: string, options: Options) => {
    const view = await load(incident, options)
    const { approval } = view
    if (approval?.state !== 'pending')
      throw new AppError('conflict', `Incident ${view.number} has no proposal that waits for a decision.`)
    const path = `/v1/incidents/${view.id}/approvals/${approval.id}`
    if (options.dryRun) {
      const found = await callServer(options, `${path}/dry-run`, dryRunView, {
        method: 'POST',
        json: {},
        timeoutMs: 120_000,
      })
      console.log(options.json ? JSON.stringify(found) : renderDryRun(approval.action.title, found))
      return
    }
    if (decision === 'approve' && approval.confirm && !options.yes) {
      throw new AppError(
        'conflict',
        `${approval.action.title}: risk ${approval.action.risk} of 10 (${approval.action.riskReasons.join('; ')}). Add --yes to approve it.`,
      )
    }
    const decided = await callServer(options, path, decidedView, {
      method: 'POST',
      json: {
        decision,
        ...(options.reason === undefined ? {} : { reason: options.reason }),
        ...(options.yes ? { confirmed: true } : {}),
        ...(options.undoIfWorse ? { undoIfWorse: true } : {}),
      },
    })
    const { title } = approval.action
    if (options.json) console.log(JSON.stringify(decided))
    else if (decision === 'refuse') console.log(`Refused: ${title}.`)
    else if (decided.approval.state === 'pending')
      console.log(`Your approval counts: ${title}. One more person has to approve it.`)
    else console.log(`Approved: ${title}. It runs now.`)
  })
}

const load = (incident: string, options: Options): Promise<IncidentView> =>
  callServer(options, `/v1/incidents/${encodeURIComponent(incident)}`, incidentView)
