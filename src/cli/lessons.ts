// `midwatch lessons`: what was learnt from people and from fixes, what it does to investigations, and how to take it back.
import { Command } from 'commander'
import { z } from 'zod'
import { utcMinute } from '../core/wall-clock.ts'
import { type LessonView, lessonList } from '../incidents/lessons/view.ts'
import { callServer, type ServerOptions, withServerOptions } from './client.ts'

type Options = ServerOptions & { readonly json?: boolean }

export function lessonsCommand(): Command {
  const lessons = new Command('lessons').description('what was learnt, what it does, and how to take it back')
  lessons.addCommand(
    withServerOptions(new Command('list'))
      .description('everything that was learnt, newest first')
      .option('--json', 'print JSON')
      .action(async ({ json, ...server }: Options) => {
        const list = await callServer(server, '/v1/lessons', lessonList)
        console.log(json ? JSON.stringify(list) : renderLessons(list))
      }),
    { isDefault: true },
  )
  lessons.addCommand(
    withServerOptions(new Command('forget'))
      .description('take one back: it changes nothing any more from now on')
      .argument('<lesson>', 'its id, as the list shows it')
      .option('--json', 'print JSON')
      .action(async (id: string, { json, ...server }: Options) => {
        const path = `/v1/lessons/${encodeURIComponent(id)}`
        const done = await callServer(server, path, z.object({ takenBack: z.string() }), { method: 'DELETE' })
        console.log(json ? JSON.stringify(done) : `Taken back: ${done.takenBack}.`)
      }),
  )
  return lessons
}

export function renderLessons({ lessons, cutShort }: z.infer<typeof lessonList>): string {
  if (lessons.length === 0)
    return 'Nothing was learnt yet. Say on an incident whether its diagnosis was right, and it will be.'
  const blocks = lessons.map(block)
  return [...blocks, ...(cutShort ? ['Older ones are not shown.'] : [])].join('\n\n')
}

const block = ({ id, kind, at, by, says, effect, takeBack }: LessonView): string =>
  [
    `${id}  ${utcMinute(at)}  ${by ?? (kind === 'action' ? 'by its runs' : 'by its fix')}`,
    `  ${says}`,
    `  Effect: ${effect}`,
    `  Take back: ${takeBack.command}${takeBack.final ? ' (for good)' : ''}`,
  ].join('\n')
