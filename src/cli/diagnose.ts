// `midwatch diagnose`: the analysis on recorded cases, offline. One line of JSON for each case, or a few lines for people.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { performance } from 'node:perf_hooks'
import { Command } from 'commander'
import { AppError } from '../core/errors.ts'
import type { Edge } from '../core/telemetry.ts'
import type { Diagnosis } from '../diagnosis/case.ts'
import { diagnose } from '../diagnosis/diagnose.ts'
import type { Evidence } from '../diagnosis/evidence.ts'
import { readCase, readRecording, readTopology, type Recording } from './case-folder.ts'

interface Options {
  readonly baseline?: string
  readonly topology?: string
  readonly json?: boolean
}

export function diagnoseCommand(): Command {
  return new Command('diagnose')
    .description('name the cause of recorded cases, with the evidence; works offline')
    .argument(
      '<case...>',
      'folders with case.json, metrics.csv(.gz) and, where there are any, logs.jsonl(.gz) and changes.jsonl(.gz)',
    )
    .option('--baseline <dir>', 'the same system at a healthy time (default: CASE/../../baseline)')
    .option('--topology <file>', 'who calls whom: caller,callee (default: CASE/../../topology.csv)')
    .option('--json', 'print one JSON line for each case; times are Unix seconds')
    .action(async (dirs: string[], options: Options) => {
      for await (const answer of diagnoseFolders(dirs, options)) {
        console.log(options.json ? JSON.stringify(toJson(answer)) : toText(answer))
      }
    })
}

export interface Answer {
  readonly id: string
  readonly diagnosis: Diagnosis
  readonly tookMs: number
}

/** Diagnoses folder after folder; a baseline and a topology that several share are read once. */
export async function* diagnoseFolders(
  dirs: readonly string[],
  options: Pick<Options, 'baseline' | 'topology'> = {},
): AsyncGenerator<Answer> {
  if (options.baseline !== undefined && !existsSync(options.baseline)) {
    throw new AppError('not_found', `There is no folder ${options.baseline}. Name a healthy time with --baseline.`)
  }
  const topologies = new Map<string, readonly Edge[]>()
  const baselines = new Map<string, Recording>()
  for (const dir of dirs) {
    const startedMs = performance.now()
    const topologyFile = resolve(options.topology ?? join(dir, '..', '..', 'topology.csv'))
    const baselineDir = resolve(options.baseline ?? join(dir, '..', '..', 'baseline'))
    const given = options.topology !== undefined || existsSync(topologyFile)
    const topology = topologies.get(topologyFile) ?? (given ? await readTopology(topologyFile) : [])
    topologies.set(topologyFile, topology)
    const baseline = baselines.get(baselineDir) ?? (await readRecording(baselineDir, topology))
    baselines.set(baselineDir, baseline)
    const { id, input } = await readCase(dir, topology)
    const reference = baseline.series.length + baseline.logs.length > 0 ? { reference: baseline } : {}
    const diagnosis = diagnose(input, { ...reference, observers: ['user-facing'] })
    yield { id, diagnosis, tookMs: Math.round(performance.now() - startedMs) }
  }
}

function toJson({ id, diagnosis, tookMs }: Answer) {
  return {
    id,
    // Where it abstains, the nearest: with the confidence that they deserve.
    causes: [...diagnosis.causes, ...diagnosis.leads].map(
      ({ service, kind, metric, score, confidence, onset, evidence, against }) => ({
        service,
        kind,
        metric,
        score,
        confidence,
        onset: onset === null ? null : Math.round(onset / 1000),
        evidence: evidence.map(toLine),
        against: against.map(toLine),
      }),
    ),
    abstained: diagnosis.abstained,
    tookMs,
  }
}

/** `weight` is how far the evidence moved the cause's score: they add up to it. */
function toLine({ claim, weight, ref }: Evidence) {
  switch (ref.kind) {
    case 'series':
      return { claim, weight, series: ref.query, before: ref.before, after: ref.after }
    case 'log':
      return { claim, weight, log: ref.template, before: ref.countBefore, after: ref.countAfter }
    case 'change':
      return { claim, weight, change: ref.id, before: ref.from ?? null, after: ref.to ?? null }
    case 'topology':
      return { claim, weight, path: ref.path, before: null, after: null }
  }
}

/** `+1.80`, `-0.35`; nothing where it moved nothing. */
const sayWeight = (weight: number): string =>
  (weight === 0 ? '' : `${weight > 0 ? '+' : ''}${weight.toFixed(2)}`).padStart(5)

function toText({ id, diagnosis, tookMs }: Answer): string {
  const [best, ...others] = diagnosis.causes
  if (!best) {
    const near = diagnosis.leads.map(({ service, kind }) => `${service} (${kind})`).join(', ')
    const next = near === '' ? '' : ` Look next at ${near}.`
    return `${id}: no cause stands out (${tookMs} ms).${next} Missing: ${diagnosis.missing.join(' ') || 'nothing'}`
  }
  const facts = [...best.evidence, ...best.against].map(({ claim, weight }) => `    ${sayWeight(weight)}  ${claim}`)
  const next = others.map(({ service, kind }) => `${service} (${kind})`).join(', ')
  return [
    `${id}: ${best.service} (${best.kind}), confidence ${best.confidence}, ${tookMs} ms`,
    ...facts,
    ...(next === '' ? [] : [`    Less likely: ${next}`]),
  ].join('\n')
}
