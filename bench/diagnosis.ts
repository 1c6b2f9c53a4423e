// How often the diagnosis ranks the guilty service first and among the first three, on recorded cases of real systems with
// injected faults, beside two plain methods on the same cases. Takes the folder of the sets: SET/cases, SET/baseline,
// SET/topology.csv, SET/truth.json.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { readCase, readRecording, readTopology, type Recording } from '../src/cli/case-folder.ts'
import { diagnoseFolders, type Answer } from '../src/cli/diagnose.ts'
import type { CaseInput } from '../src/diagnosis/case.ts'
import { firstAt, median, normalOf, toTrack } from '../src/diagnosis/stats.ts'

const truthFile = z.record(z.string(), z.object({ service: z.string(), kind: z.string() }))

const [root, ...flags] = process.argv.slice(2)
if (root === undefined || !existsSync(root)) {
  console.error('usage: npm run bench:diagnosis -- FOLDER_OF_SETS [--cases]')
  process.exit(2)
}

const rows: Record<string, string | number>[] = []
for (const set of readdirSync(root).filter((name) => existsSync(join(root, name, 'truth.json')))) {
  const truth = truthFile.parse(JSON.parse(readFileSync(join(root, set, 'truth.json'), 'utf8')))
  const dirs = Object.keys(truth)
    .sort()
    .map((id) => join(root, set, 'cases', id))
  const topology = await readTopology(join(root, set, 'topology.csv'))
  const baseline = await readRecording(join(root, set, 'baseline'), topology)
  const [ours, shift, largest]: number[][] = [[], [], []]
  const answers: { answer: Answer; right: boolean }[] = []
  for await (const answer of diagnoseFolders(dirs)) {
    const guilty = truth[answer.id]?.service ?? ''
    // Where it abstains, what it would look at next counts: the column `abstained` tells how often.
    const ranked = [...answer.diagnosis.causes, ...answer.diagnosis.leads]
    const at = ranked.findIndex(({ service }) => service === guilty)
    ours?.push(at)
    answers.push({ answer, right: at === 0 })
    const { input } = await readCase(join(root, set, 'cases', answer.id), topology)
    shift?.push(rankByDeviation(input, baseline, 'median').indexOf(guilty))
    largest?.push(rankByDeviation(input, baseline, 'largest').indexOf(guilty))
    if (flags.includes('--cases')) {
      const named = ranked.map(({ service, kind, score, confidence }) => `${service} ${kind} ${score} (${confidence})`)
      console.log(
        `${set} ${answer.id} ${guilty} ${truth[answer.id]?.kind ?? ''}: place ${at + 1}; ${named.slice(0, 3).join(', ')}`,
      )
    }
  }
  rows.push({ set, cases: dirs.length, method: 'midwatch', ...accuracy(ours ?? []), ...calibration(answers) })
  rows.push({ set, cases: dirs.length, method: 'shift of the median', ...accuracy(shift ?? []) })
  rows.push({ set, cases: dirs.length, method: 'largest deviation', ...accuracy(largest ?? []) })
}
console.table(rows)

function accuracy(places: readonly number[]) {
  const at = (k: number): number => places.filter((place) => place >= 0 && place < k).length / places.length
  const average = [1, 2, 3, 4, 5].reduce((sum, k) => sum + at(k), 0) / 5
  return { 'AC@1': at(1).toFixed(2), 'AC@3': at(3).toFixed(2), 'Avg@5': average.toFixed(2) }
}

/** Mean confidence of the first names, which should be the share of them that are right. */
function calibration(answers: readonly { answer: Answer; right: boolean }[]) {
  const given = answers.filter(({ answer }) => !answer.diagnosis.abstained)
  const sum = given.reduce((total, { answer }) => total + (answer.diagnosis.causes[0]?.confidence ?? 0), 0)
  const tookMs = answers.reduce((total, { answer }) => total + answer.tookMs, 0) / answers.length
  return {
    abstained: answers.length - given.length,
    confidence: (sum / given.length).toFixed(2),
    ms: Math.round(tookMs),
  }
}

/** Each service by its worst metric: how many scales it moved, by the median or by the farthest value (BARO's scorer). */
function rankByDeviation(input: CaseInput, baseline: Recording, by: 'median' | 'largest'): string[] {
  const normals = new Map(
    baseline.series.map((one) => [`${one.service} ${one.query}`, normalOf(toTrack(one.points).values)]),
  )
  const worst = new Map<string, number>()
  for (const one of input.series) {
    const normal = normals.get(`${one.service} ${one.query}`)
    const track = toTrack(one.points)
    const values = track.values.subarray(firstAt(track, input.alertAtMs - 2 * input.stepMs))
    if (!normal || values.length === 0 || one.service === 'user-facing') continue
    const scale = Math.max(normal.scale * 1.349, 0.05 * Math.abs(normal.centre), 1e-6)
    const far =
      by === 'median'
        ? Math.abs(median(values) - normal.centre)
        : Math.max(...Array.from(values, (value) => Math.abs(value - normal.centre)))
    worst.set(one.service, Math.max(worst.get(one.service) ?? 0, far / scale))
  }
  return [...worst].sort(([, a], [, b]) => b - a).map(([service]) => service)
}
