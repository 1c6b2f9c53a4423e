// `midwatch actions`, `stop-acting`, `resume-acting`: what the agent may do, and the switch that ends all of it at once.
import { Command } from 'commander'
import { actingView, type ActingView } from '../incidents/view.ts'
import { callServer, type ServerOptions, withServerOptions } from './client.ts'

type Options = ServerOptions & { readonly json?: boolean; readonly reason?: string }

const common = (name: string): Command => withServerOptions(new Command(name)).option('--json', 'print JSON')

const print = (options: Options, view: ActingView, text: string): void =>
  console.log(options.json ? JSON.stringify(view) : text)

export const actionsCommand = (): Command =>
  common('actions')
    .description('the action catalogue: what may be done, at which risk, and how it did so far')
    .action(async (options: Options) => {
      const view = await callServer(options, '/v1/actions', actingView)
      print(options, view, render(view))
    })

export const stopActingCommand = (): Command =>
  common('stop-acting')
    .description('carry nothing out any more, whatever was approved, until someone lets it go on')
    .option('--reason <text>', 'why; shown to everyone who looks')
    .action(async (options: Options) => {
      const { reason } = options
      const json = reason === undefined ? {} : { reason }
      const view = await callServer(options, '/v1/actions/stop', actingView, { method: 'POST', json })
      print(options, view, sayStopped(view) ?? 'Acting goes on.')
    })

export const resumeActingCommand = (): Command =>
  common('resume-acting')
    .description('let approved actions be carried out again; needs an admin key')
    .action(async (options: Options) => {
      const view = await callServer(options, '/v1/actions/resume', actingView, { method: 'POST', json: {} })
      print(options, view, 'Acting goes on. What became void while it was stopped stays void.')
    })

/** "ACTING IS STOPPED …", or undefined while it goes on. */
export function sayStopped({ stopped }: { readonly stopped?: ActingView['stopped'] | undefined }): string | undefined {
  if (!stopped) return undefined
  const why = stopped.reason === null || stopped.reason === '' ? '' : `: ${stopped.reason}`
  return `ACTING IS STOPPED since ${new Date(stopped.at).toLocaleString()} by ${stopped.by}${why}. Nothing is carried out.`
}

function render(view: ActingView): string {
  const entries = view.actions.map((action) => {
    const { judged, worked, worse } = action.record
    const record =
      judged === 0
        ? 'never judged yet'
        : `worked ${worked} of ${judged} times${worse > 0 ? `, made it worse ${worse}` : ''}`
    const parameters = Object.entries(action.parameters).map(([key, text]) => `    ${key}: ${text}`)
    return [
      `${action.name}  (${action.does}, base risk ${action.risk})  ${record}`,
      `    ${action.title}`,
      `    on ${action.services.join(', ')}; mends ${action.fits.join(', ') || 'nothing by itself'}`,
      ...parameters,
      ...action.preconditions.map((says) => `    only if: ${says}`),
      `    undo: ${action.undo}${action.undoable ? '' : ' (in words alone)'}`,
    ].join('\n')
  })
  if (entries.length === 0)
    entries.push('The catalogue is empty: nothing can ever be done. See agent.actions in midwatch.yaml.')
  return [...(sayStopped(view) === undefined ? [] : [sayStopped(view)]), ...entries].join('\n\n')
}
