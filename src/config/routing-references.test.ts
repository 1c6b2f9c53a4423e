import { expect, test } from 'vitest'
import { findRoutingContradictions } from './routing-references.ts'

const told = (agent: object) =>
  findRoutingContradictions({ agent }).map(({ path, message }) => `${path.join('.')}: ${message}`)

test('a team, a person, a schedule or a channel that is not there is told, each where it stands', () => {
  const teams = {
    payments: {
      people: { ada: { reach: [{ channel: 'slack', to: 'U1' }, { channel: 'pigeon' }] } },
      schedules: { primary: { layers: [{ people: ['ada', 'bo'] }] } },
      escalation: { steps: [{ tell: [{ onCall: 'primary' }, { onCall: 'web/primary' }, { person: 'cy' }] }] },
    },
  }
  const routes = [
    { name: 'a', team: 'payment', routes: [{ name: 'b', targets: [{ channel: 'jira' }] }] },
    { name: 'a', team: 'payments' },
  ]
  expect(told({ notify: { slack: { statusChannel: '#status' } }, tickets: { jira: {} }, teams, routes })).toEqual([
    'agent.teams.payments.people.ada.reach.1.channel: no channel is called pigeon; there is slack, slack-status, jira',
    'agent.teams.payments.schedules.primary.layers.0.people.1: bo is not among the people of payments: ada',
    'agent.teams.payments.escalation.steps.0.tell.1.onCall: web has no schedule primary; it has none',
    'agent.teams.payments.escalation.steps.0.tell.2.person: cy is not among the people of payments: ada',
    'agent.routes.0.team: no team is called payment; there is payments',
    'agent.routes.1.name: two routes side by side are called a',
  ])
  expect(told({ teams: 3, routes: [{ routes: 'x' }] })).toEqual([])
})

test('a target that would wake nobody is told before anybody has to be woken', () => {
  const notify = { slack: {}, email: { news: ['closed'] }, pagerduty: { routingKeys: { payments: 'k' } } }
  const teams = {
    payments: {
      people: {
        ada: {
          reach: [
            { channel: 'email', to: 'ada@example.com' },
            { channel: 'pagerduty', to: 'payments' },
          ],
        },
      },
      targets: [{ channel: 'email' }, { channel: 'slack-status' }],
      escalation: { steps: [{ tell: [{ channel: 'pagerduty', to: 'payment' }, { person: 'ada' }] }] },
    },
  }
  expect(told({ notify, teams })).toEqual([
    'agent.teams.payments.targets.1.channel: no channel is called slack-status; there is slack, email, pagerduty',
    'agent.teams.payments.people.ada.reach.0.channel: agent.notify.email.news has no escalated, so that nobody would be woken; add it',
    'agent.teams.payments.escalation.steps.0.tell.0.to: agent.notify.pagerduty.routingKeys has no payment; there is payments',
  ])
  const notify2 = { slack: { statusChannel: '#status' }, email: {} }
  const status = { people: { ada: { reach: [{ channel: 'slack-status' }, { channel: 'email' }] } } }
  expect(told({ notify: notify2, teams: { payments: status } })).toEqual([
    'agent.teams.payments.people.ada.reach.0.channel: slack-status tells no escalation, so that nobody would be woken; take slack',
  ])
})
