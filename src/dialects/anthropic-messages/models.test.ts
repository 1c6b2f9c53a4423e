import { expect, test } from 'vitest'
import { traitsOf } from './models.ts'

test.each([
  ['claude-3-haiku-20240307', true],
  ['claude-3-5-sonnet-20241022', true],
  ['claude-opus-4@20250514', true],
  ['us.anthropic.claude-sonnet-4-5-20250929-v1:0', true],
  ['claude-haiku-4-5', true],
  ['claude-opus-4-6', false],
  ['claude-sonnet-4-6', false],
  ['anthropic/claude-opus-4.8', false],
  ['claude-sonnet-5', false],
  ['claude-fable-5', false],
  ['claude-mythos-preview', false],
  ['something-new', false],
])('%s takes a prefill: %s', (model, takes) => {
  expect(traitsOf(model).prefill).toBe(takes)
})

test.each([
  ['claude-3-5-sonnet-20241022', { thinking: 'none', sampling: true, schemas: false, maxOutputTokens: 8192 }],
  ['claude-3-7-sonnet-20250219', { thinking: 'budget', sampling: true, schemas: false, maxOutputTokens: 64_000 }],
  ['claude-opus-4-1-20250805', { thinking: 'budget', schemas: true, maxOutputTokens: 32_000 }],
  ['claude-opus-4-6', { thinking: 'adaptive', sampling: true, xhighEffort: false, unthinking: 'omit' }],
  ['claude-opus-4-7', { thinking: 'adaptive', sampling: false, xhighEffort: true, unthinking: 'omit' }],
  ['claude-sonnet-5', { sampling: false, forcedTools: true, unthinking: 'disabled' }],
  ['claude-opus-5-5', { sampling: false, forcedTools: false, unthinking: 'low-effort' }],
  ['claude-sonnet-5-5', { forcedTools: false, unthinking: 'between_tools' }],
  ['claude-haiku-5-5', { forcedTools: true, unthinking: 'disabled' }],
  ['claude-fable-5', { forcedTools: true, unthinking: 'low-effort' }],
  ['claude-fable-5-1', { forcedTools: false }],
] as const)('%s differs in what is known of it', (model, traits) => {
  expect(traitsOf(model)).toMatchObject(traits)
})
