// `midwatch incidents ack | merge | split`: say who looks after one, and correct what was folded.
import { Command } from 'commander'
import { acknowledgedView, mergedView, splitView } from '../incidents/view.ts'
import { callServer, type ServerOptions, withCommonOptions } from './client.ts'

type Options = ServerOptions & { readonly json?: boolean; readonly reason: string }

const pathOf = (incident: string, what: string): string => `/v1/incidents/${encodeURIComponent(incident)}/${what}`

export function mergeCommand(): Command {
  return withCommonOptions(new Command('merge'))
    .description('two incidents are one: the alerts of the second become those of the first')
    .argument('<into>', 'number or id of the one that stays')
    .argument('<from>', 'number or id of the one that closes')
    .requiredOption('--reason <text>', 'why; kept in both timelines')
    .action(async (into: string, from: string, options: Options) => {
      const json = { incident: from, reason: options.reason }
      const done = await callServer(options, pathOf(into, 'merge'), mergedView, { method: 'POST', json })
      if (options.json) console.log(JSON.stringify(done))
      else
        console.log(
          `Incident ${done.merged} is part of incident ${done.incident} now. It is remembered: midwatch lessons.`,
        )
    })
}

export function ackCommand(): Command {
  return withCommonOptions(new Command('ack'))
    .description('say that you look after an incident')
    .argument('<incident>', 'its number or id')
    .action(async (incident: string, options: ServerOptions & { readonly json?: boolean }) => {
      const done = await callServer(options, pathOf(incident, 'ack'), acknowledgedView, { method: 'POST', json: {} })
      console.log(options.json ? JSON.stringify(done) : `${done.by} looks after incident ${done.incident}.`)
    })
}

export function splitCommand(): Command {
  return withCommonOptions(new Command('split'))
    .description('take alerts out of an incident into one of their own')
    .argument('<incident>', 'its number or id')
    .requiredOption('--alerts <ids...>', 'ids of the alerts, as in: midwatch incidents show N --json')
    .requiredOption('--reason <text>', 'why; kept in both timelines')
    .action(async (incident: string, options: Options & { readonly alerts: readonly string[] }) => {
      const json = { alerts: options.alerts, reason: options.reason }
      const done = await callServer(options, pathOf(incident, 'split'), splitView, { method: 'POST', json })
      if (options.json) console.log(JSON.stringify(done))
      else
        console.log(
          `Incident ${done.split} was taken out of incident ${done.incident}. It is remembered: midwatch lessons.`,
        )
    })
}
