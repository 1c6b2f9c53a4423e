import { describe, expect, it } from 'vitest'
import type { Anomaly } from './anomalies.ts'
import { assignBlame } from './blame.ts'
import { lossOf } from './loss.ts'
import { findNetworkTrouble } from './network.ts'
import type { Signal, SignalRole } from './service-signals.ts'
import { toTrack } from './stats.ts'
import { buildTopology } from './topology.ts'

const signal = (service: string, role: SignalRole, peer?: string): Signal => ({
  service,
  ...(peer === undefined ? {} : { peer }),
  role,
  name: role,
  unit: role.endsWith('errors') ? 'ratio' : 's',
  track: toTrack([[0, 0]]),
  metric: role,
  as: 'mean',
  labels: {},
  query: '',
})

/** `service role after`, or `service>peer role after`; before is 0 for errors and 0.1 s else. */
function blameOf(edges: readonly (readonly [string, string])[], measured: readonly string[], sick: readonly string[]) {
  const read = (text: string): { signal: Signal; after: number } => {
    const [who = '', role = '', after = '1'] = text.split(' ')
    const [service = '', peer] = who.split('>')
    return { signal: signal(service, role as SignalRole, peer), after: Number(after) }
  }
  const anomalies: Anomaly[] = sick.map((text) => {
    const { signal: one, after } = read(text)
    return { signal: one, before: 0, after, direction: 1, strength: 1, onsetMs: 0 }
  })
  const topology = buildTopology(edges.map(([caller, callee]) => ({ caller, callee })))
  const signals = [...measured.map((text) => read(text).signal), ...anomalies.map((one) => one.signal)]
  const window = { fromMs: 0, alertAtMs: 0, toMs: 0, stepMs: 1000 }
  return assignBlame(topology, signals, anomalies, findNetworkTrouble(signals, anomalies, lossOf(anomalies, 1), window))
}

describe('assignBlame', () => {
  it('explains a caller by a callee that sees its own trouble', () => {
    const blame = blameOf([['door', 'pay']], [], ['door latency 1', 'door>pay client_latency 1', 'pay latency 1'])
    expect(blame.explained('door')).toMatchObject({ share: 1, by: 'pay' })
    expect(blame.explained('pay').share).toBe(0)
  })

  it('accuses an outside callee that only its caller sees', () => {
    const blame = blameOf([['pay', 'bank']], [], ['pay latency 1', 'pay>bank client_latency 1'])
    expect(blame.accused('bank').strength).toBeGreaterThan(0.8)
    expect(blame.explained('pay').share).toBeGreaterThan(0.8)
  })

  it('keeps the blame with a caller that finds all its healthy callees late', () => {
    const edges = [
      ['busy', 'a'],
      ['busy', 'b'],
      ['other', 'a'],
      ['other', 'b'],
    ] as const
    const healthy = ['a latency', 'b latency', 'other>a client_latency', 'other>b client_latency']
    const blame = blameOf(edges, healthy, ['busy latency 1', 'busy>a client_latency 1', 'busy>b client_latency 1'])
    expect(blame.explained('busy').share).toBeLessThan(0.3)
    expect(blame.accused('a').strength).toBeLessThan(0.3)
  })

  it('believes callers over a healthy callee where time is lost before its clock begins', () => {
    const edges = [
      ['a', 'pay'],
      ['b', 'pay'],
    ] as const
    const late = ['a>pay client_latency 1', 'b>pay client_latency 1']
    const lost = ['a>pay edge_gap 1', 'b>pay edge_gap 1']
    expect(blameOf(edges, ['pay latency'], late).accused('pay').strength).toBeLessThan(0.8)
    expect(blameOf(edges, ['pay latency'], [...late, ...lost]).accused('pay').strength).toBe(1)
  })

  it('keeps the blame with a caller that loses time on the way to everyone', () => {
    const edges = [
      ['busy', 'a'],
      ['busy', 'b'],
    ] as const
    const late = ['busy>a client_latency 1', 'busy>b client_latency 1']
    const lost = ['busy>a edge_gap 1', 'busy>b edge_gap 1']
    const blame = blameOf(edges, ['a latency', 'b latency'], ['busy latency 1', ...late, ...lost])
    expect(blame.accused('a').strength).toBeLessThan(0.3)
    expect(blame.explained('busy').share).toBeLessThan(0.3)
  })

  it('does not explain seconds by milliseconds', () => {
    const blame = blameOf([['door', 'db']], [], ['door latency 4', 'door>db client_latency 0.004', 'db latency 0.004'])
    expect(blame.explained('door').share).toBeLessThan(0.01)
  })

  it('measures what a starved service suffers by what its callers lose on it', () => {
    const edges = [
      ['cart', 'shop'],
      ['door', 'shop'],
      ['shop', 'db'],
    ] as const
    const inside = ['shop latency 0.014', 'shop>db client_latency 0.012', 'db latency 0.004']
    const outside = ['cart>shop client_latency 0.08', 'door>shop client_latency 0.08']
    expect(blameOf(edges, [], inside).explained('shop').share).toBeGreaterThan(0.8)
    expect(blameOf(edges, [], [...inside, ...outside]).explained('shop').share).toBeLessThan(0.5)
  })

  it('asks no caller that loses milliseconds where another one loses a hundred times as much', () => {
    const edges = [
      ['small', 'db'],
      ['large', 'db'],
    ] as const
    const small = ['small latency 0.0015', 'small>db client_latency 0.0015', 'db latency 0.004']
    const large = ['large latency 0.2', 'large>db client_latency 0.004']
    expect(blameOf(edges, [], small).accounts('db')).toBe(1)
    expect(blameOf(edges, [], [...small, ...large]).accounts('db')).toBeLessThan(0.2)
  })

  it('hears out, of callers that are equally loud, the one that says more, in whatever order they stand', () => {
    const edges = [
      ['a', 'pay'],
      ['b', 'pay'],
    ] as const
    const sick = ['pay errors 1', 'a>pay client_errors 1', 'b>pay client_errors 1', 'b>pay client_latency 1']
    for (const order of [edges, edges.toReversed()])
      expect(blameOf(order, [], sick).accused('pay').edge?.caller).toBe('b')
  })

  it('leaves a refused caller with its own credentials', () => {
    const blame = blameOf([['pay', 'bank']], [], ['pay errors 1', 'pay>bank client_refused 1'])
    expect(blame.accused('bank').strength).toBe(0)
    expect(blame.explained('pay').share).toBe(0)
  })

  it('survives cycles', () => {
    const blame = blameOf(
      [
        ['a', 'b'],
        ['b', 'a'],
      ],
      [],
      ['a errors 1', 'b errors 1'],
    )
    expect(blame.explained('a').by).toBe('b')
    expect(blame.explained('b').by).toBe('a')
  })
})
