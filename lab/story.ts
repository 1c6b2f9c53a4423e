// One fault from breaking to closing, told to the person at the terminal. What was broken is said last, after Midwatch
// has answered; what is approved is approved by a person unless `auto` says otherwise.
import { setTimeout as wait } from 'node:timers/promises'
import type { IncidentView } from '../src/incidents/view.ts'
import { waitFor } from './agent-client.ts'
import type { Fault } from './faults/fault.ts'
import type { Keys } from './keys.ts'
import type { Lab } from './lab.ts'
import { counted, type Narrator } from './narrator.ts'
import { judge, tellDiagnosis, tellProposal, tellTruth } from './narrator-incident.ts'
import type { Random } from './platform/random.ts'
import { waitForDiagnosis, waitForIncident } from './walk.ts'

export interface StoryOptions {
  readonly lab: Lab
  readonly narrator: Narrator
  readonly keys: Keys
  readonly random: Random
  /** Approve by itself after a moment. */
  readonly auto: boolean
  /** Aborts when the person wants to leave. */
  readonly signal: AbortSignal
}

export interface StoryEnd {
  /** Service and kind were named right. */
  readonly right: boolean
  /** The approved action was carried out and verified. */
  readonly fixed: boolean
}

const NO_INCIDENT_MS = 150_000
const NO_DIAGNOSIS_MS = 120_000
const NO_END_MS = 240_000
const AUTO_APPROVE_MS = 4000
/** Shown of the timeline as it happens; the rest stands on the page. */
const SILENT_EVENTS: ReadonlySet<string> = new Set(['alert', 'note'])

/** What is going on, in the line that changes. */
const STATUS: Readonly<Record<IncidentView['state'], string>> = {
  open: 'collecting alerts',
  investigating: 'looking for the cause',
  awaiting_approval: 'waiting for your decision',
  acting: 'the action runs',
  verifying: 'looking again whether it helped',
  watching: 'waiting for the alerts to end',
  closed: '',
}

export async function tellStory(fault: Fault, options: StoryOptions): Promise<StoryEnd> {
  const { lab, narrator, random, signal } = options
  const truth = await lab.inject(fault, random)
  narrator.event(
    truth.startedAt,
    'Something has just been broken. What it is, you are told after Midwatch has answered.',
    'bold',
  )
  try {
    const view = await investigated(truth.startedAt, options)
    if (!view) return { right: false, fixed: false }
    const seconds = Math.round(((view.report?.diagnosedAt ?? Date.now()) - truth.startedAt) / 1000)
    narrator.event(
      view.report?.diagnosedAt ?? Date.now(),
      `${counted(view.alerts, 'alert')} came in and ${view.alerts === 1 ? 'became' : 'were folded into'} one incident. Midwatch answers, ${seconds} s after the break:`,
    )
    narrator.gap()
    tellDiagnosis(narrator, view)
    const end = await decided(view, options)
    narrator.gap()
    const last = end ?? view
    tellTruth(narrator, last, truth)
    const { serviceCorrect, kindCorrect } = judge(last, truth)
    return { right: serviceCorrect && kindCorrect, fixed: last.outcome === 'fixed' }
  } finally {
    if (!signal.aborted) await fault.heal(lab.platform)
  }
}

/** From the break to the report. */
async function investigated(
  sinceMs: number,
  { lab, narrator, signal }: StoryOptions,
): Promise<IncidentView | undefined> {
  const clock = setInterval(() => {
    narrator.status(`${Math.round((Date.now() - sinceMs) / 1000)} s since the break`)
  }, 1000)
  try {
    const first = await waitForIncident(lab.agent, sinceMs, { untilMs: Date.now() + NO_INCIDENT_MS, signal })
    if (!first) {
      narrator.say(
        `No incident was opened in ${NO_INCIDENT_MS / 1000} s. The log of Midwatch is ${lab.midwatch.logFile}.`,
        'bad',
      )
      return undefined
    }
    narrator.event(
      first.openedAt,
      `The first alert is in: ${first.title}. Incident ${first.number} is open and collects what belongs to it.`,
    )
    const view = await waitForDiagnosis(lab.agent, first.id, { untilMs: Date.now() + NO_DIAGNOSIS_MS, signal })
    if (!view?.report) {
      narrator.say(`There was no answer in time. The log of Midwatch is ${lab.midwatch.logFile}.`, 'bad')
      return undefined
    }
    return view
  } finally {
    clearInterval(clock)
  }
}

/** From the report to the end of the incident; undefined when it did not end in time. */
async function decided(diagnosed: IncidentView, options: StoryOptions): Promise<IncidentView | undefined> {
  const { lab, narrator, keys, signal } = options
  let seen = Math.max(0, ...diagnosed.timeline.map(({ seq }) => seq))
  let asked: string | undefined
  let stopAsking = () => {}
  let untilMs = Date.now() + NO_END_MS
  try {
    return await waitFor(
      async () => {
        const view = await lab.agent.incident(diagnosed.id)
        for (const event of view.timeline.filter(({ seq, kind }) => seq > seen && !SILENT_EVENTS.has(kind)))
          narrator.event(event.at, event.text)
        seen = Math.max(seen, ...view.timeline.map(({ seq }) => seq))
        if (view.state === 'closed') return view
        narrator.status(STATUS[view.state])
        if (view.approval?.state === 'pending') {
          // A person may take as long as she likes.
          untilMs = Date.now() + NO_END_MS
          if (asked !== view.approval.id) {
            asked = view.approval.id
            narrator.gap()
            tellProposal(narrator, view)
            narrator.gap()
            stopAsking = askPerson(view, options)
          }
        } else stopAsking()
        if (Date.now() > untilMs) {
          narrator.say('The incident did not end in time; the page shows how it stands.', 'bad')
          return view
        }
        return undefined
      },
      { untilMs: Number.POSITIVE_INFINITY, signal },
    )
  } finally {
    stopAsking()
    if (keys.there) narrator.status('')
  }
}

/** Tells how to decide and lets the terminal decide too. The returned function ends that. */
function askPerson(view: IncidentView, { lab, narrator, keys, auto, signal }: StoryOptions): () => void {
  const confirm = view.approval?.confirm ?? false
  const over = new AbortController()
  const approve = async () => {
    if (await lab.agent.approve(view)) narrator.say('Approved from this terminal.', 'good')
  }
  const complain = (error: unknown) => narrator.say(`That did not work: ${(error as Error).message}`, 'bad')
  if (auto) {
    narrator.say(`Approving it in ${AUTO_APPROVE_MS / 1000} s (--auto).`)
    wait(AUTO_APPROVE_MS, undefined, { signal: AbortSignal.any([signal, over.signal]) })
      .then(approve)
      .catch((error: unknown) => (over.signal.aborted || signal.aborted ? undefined : complain(error)))
    return () => over.abort()
  }
  narrator.say('It waits for your decision:', 'bold')
  narrator.pair('On the page', `${lab.pageUrl}/incidents/${view.number}`)
  narrator.pair('By command', approveCommand(lab, view.number, confirm))
  if (keys.there) narrator.pair('Here', `press a to approve${confirm ? ' (twice: the risk is high)' : ''}, r to refuse`)
  let pressed = 0
  const stop = keys.listen((key) => {
    if (key === 'r') lab.agent.refuse(view).catch(complain)
    if (key !== 'a') return
    pressed++
    if (confirm && pressed === 1)
      narrator.say(`Risk ${view.approval?.action.risk} of 10. Press a again to approve.`, 'notice')
    else approve().catch(complain)
  })
  return () => {
    over.abort()
    stop()
  }
}

function approveCommand(lab: Lab, number: number, confirm: boolean): string {
  const url = lab.pageUrl.endsWith(':4747') ? '' : ` --url ${lab.pageUrl}`
  return `npx midwatch incidents approve ${number}${confirm ? ' --yes' : ''}${url}`
}
