import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ConfigError, defaultConfig, loadConfig, parseConfig } from './load.ts'
import { configSchema } from './schema.ts'
import { tempFolder } from '../../test/temp.ts'

const parse = (text: string, environment = {}) => parseConfig(text, 'midwatch.yaml', environment)

function problemsOf(text: string, environment = {}): readonly string[] {
  try {
    parse(text, environment)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

const example = join(import.meta.dirname, '../../midwatch.example.yaml')
const exampleEnvironment = {
  OPENAI_API_KEY: 'sk-1',
  AZURE_OPENAI_API_KEY: 'a',
  ANTHROPIC_API_KEY: 'b',
  GEMINI_API_KEY: 'c',
  AWS_ACCESS_KEY_ID: 'e',
  AWS_SECRET_ACCESS_KEY: 'f',
  OTLP_TOKEN: 'g',
  NOTIFY_SECRET: 's',
  SLACK_BOT_TOKEN: 'xoxb-1',
  SLACK_APP_TOKEN: 'xapp-1',
  PAGERDUTY_ROUTING_KEY: '0123456789abcdef0123456789abcdef',
  PAGERDUTY_CHECKOUT_KEY: '0123456789abcdef0123456789abcdef',
  SMTP_PASSWORD: 's',
  JIRA_TOKEN: 's',
  GITHUB_TOKEN: 's',
  PAGERDUTY_WEBHOOK_SECRET: 's',
  SENTRY_CLIENT_SECRET: 's',
  GRAFANA_WEBHOOK_SECRET: 's',
  DEPLOY_TOKEN: 'd',
  KNOWLEDGE_DATABASE_URL: 'postgres://127.0.0.1/knowledge',
}

/** The names of all keys, at every depth. */
function keysOf(schema: unknown, found = new Set<string>()): string[] {
  const { shape, def = {} } = schema as { shape?: Record<string, unknown>; def?: Record<string, unknown> }
  for (const [key, inner] of Object.entries(shape ?? {})) keysOf(inner, found.add(key))
  for (const inner of [def['innerType'], def['in'], def['valueType'], def['element']]) if (inner) keysOf(inner, found)
  for (const option of (def['options'] as unknown[] | undefined) ?? []) keysOf(option, found)
  return [...found]
}

describe('the configuration', () => {
  it('loads the example file, so that it cannot rot', () => {
    const config = loadConfig(example, exampleEnvironment)
    expect(config.models.fast?.targets).toHaveLength(2)
    const { openai } = config.providers
    expect(openai?.kind === 'openai' && openai.apiKey?.reveal()).toBe('sk-1')
  })

  it('shows every key there is in the example file', () => {
    const text = readFileSync(example, 'utf8')
    const missing = keysOf(configSchema).filter((key) => !new RegExp(`\\b${key}:`).test(text))
    expect(missing).toEqual([])
  })

  it('loads the YAML blocks shown in the README', () => {
    const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')
    const blocks = [...readme.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? '')
    expect(blocks.length).toBeGreaterThan(0)
    for (const block of blocks) expect(problemsOf(block, exampleEnvironment)).toEqual([])
  })

  it('needs no file: the default binds to loopback and asks for keys', () => {
    expect(defaultConfig()).toMatchObject({ server: { host: '127.0.0.1', port: 4747 }, auth: { mode: 'required' } })
    expect(parse('')).toEqual(defaultConfig())
  })

  it('refuses an unknown key and names the one that was meant, at every depth', () => {
    expect(problemsOf('servr: {}')).toEqual(['servr is not a known key; did you mean server?'])
    expect(problemsOf('agent: { folding: { groupWaitSecond: 3 } }')).toEqual([
      'agent.folding.groupWaitSecond is not a known key; did you mean groupWaitSeconds?',
    ])
    const model =
      'providers: { a: { kind: openai, baseUrl: "http://a" } }\nmodels: { m: { target: [], targets: [{ provider: a, model: x, wieght: 2 }] } }'
    expect(problemsOf(model)).toEqual([
      'models.m.targets.0.wieght is not a known key; did you mean weight?',
      'models.m.target is not a known key; did you mean targets?',
    ])
  })

  it('names the key that was meant also where it depends on the kind of a thing which keys there are', () => {
    const provider = 'providers: { a: { kind: openai, baseUrl: "http://a", apikey: x } }'
    expect(problemsOf(provider)).toEqual(['providers.a.apikey is not a known key; did you mean apiKey?'])
  })

  it('says what a name may be', () => {
    expect(problemsOf('limits: { teams: { "a/b": {} } }')).toEqual([
      'limits.teams.a/b: the name must be letters, digits, ".", "_" or "-", at most 64',
    ])
  })

  it('refuses a key or a header that could never be sent, such as one with the line break of its file', () => {
    const yaml =
      'providers: { a: { kind: openai, baseUrl: "http://a", apiKey: "${KEY}", headers: { x-team: "${TEAM}" } } }'
    expect(problemsOf(yaml, { KEY: 'sk-1', TEAM: 'a' })).toEqual([])
    expect(problemsOf(yaml, { KEY: 'sk-1\n', TEAM: 'a\r\nx-other: b' })).toEqual([
      expect.stringMatching(/^providers\.a\.apiKey: .*line break/),
      expect.stringMatching(/^providers\.a\.headers\.x-team: .*line break/),
    ])
    expect(problemsOf(yaml, { KEY: 'sk-ä', TEAM: 'a' })).toHaveLength(1)
  })

  it('tells every problem at once', () => {
    const problems = problemsOf('server: { port: 99999 }\ndata: 5\nagent: { model: nope }')
    expect(problems).toEqual([
      expect.stringMatching(/^server\.port: /),
      expect.stringMatching(/^data: /),
      'agent.model: no model is called nope; there is none',
    ])
  })

  it('names a model, provider or fallback that does not exist', () => {
    const text = 'models: { m: { targets: [{ provider: nowhere, model: x }], fallbacks: [n] } }\nagent: { model: k }'
    expect(problemsOf(text).join('\n')).toMatch(
      /no provider is called nowhere[\s\S]*no model is called n;[\s\S]*no model is called k;/,
    )
  })

  it('says that a semantic cache needs a model that embeds, and that the one it names must exist', () => {
    const model = (cache: string) =>
      `providers: { p: { kind: openai, baseUrl: "http://127.0.0.1:1" } }\nmodels: { m: { targets: [{ provider: p, model: x }], cache: ${cache} } }`
    expect(problemsOf(model('{ mode: semantic }')).join()).toMatch(
      /models\.m\.cache\.embeddings.*semantic needs a model/,
    )
    expect(problemsOf(model('{ mode: semantic, embeddings: n }')).join()).toMatch(/no model is called n; there is m/)
    expect(problemsOf(model('{ mode: semantic, embeddings: m }')).join()).toMatch(
      /models\.m\.cache\.embeddings: .*cannot be embedded by m itself\. Name a model/,
    )
    const texts = '\n  texts: { targets: [{ provider: p, model: y }] }'
    const several = model('{ mode: semantic, embeddings: texts }').replace('models: { m:', 'models:\n  m:').slice(0, -2)
    expect(problemsOf(`${several}${texts}`)).toEqual([])
  })

  it('says that a model cannot fall back to itself, or twice to the same; two may fall back to each other', () => {
    const models = (a: string, b: string) => `
providers: { p: { kind: openai, baseUrl: "http://127.0.0.1:1" } }
models:
  a: { targets: [{ provider: p, model: x }], fallbacks: ${a} }
  b: { targets: [{ provider: p, model: y }], fallbacks: ${b} }`
    expect(problemsOf(models('[a]', '[]'))).toEqual([
      'models.a.fallbacks: a cannot fall back to itself. Name another model, or leave it out',
    ])
    expect(problemsOf(models('[]', '[a, a]'))).toEqual(['models.b.fallbacks: a is named twice. Once will do'])
    expect(problemsOf(models('[b]', '[a]'))).toEqual([])
  })

  it('takes no provider from what every object has by nature', () => {
    expect(problemsOf('models: { m: { targets: [{ provider: constructor, model: x }] } }').join()).toMatch(
      /no provider is called constructor/,
    )
  })

  it('says which environment variable is missing and where', () => {
    for (const name of ['NOT_THERE', 'not_there']) {
      expect(problemsOf(`data: x\nserver: { publicUrl: "\${${name}}" }`)).toEqual([
        `the environment variable ${name} is not set (line 2)`,
      ])
    }
  })

  it('never lets a value out of the environment change the shape of the file', () => {
    const config = parse('data: "${DIR}"', { DIR: 'x\nauth: { mode: off }' })
    expect(config.data).toBe('x\nauth: { mode: off }')
    expect(config.auth.mode).toBe('required')
  })

  it('refuses to switch authentication off on an address that others can reach', () => {
    expect(problemsOf('auth: { mode: off }\nserver: { host: 0.0.0.0 }').join()).toMatch(/off binds to loopback only/)
    expect(problemsOf('auth: { mode: off }')).toEqual([])
  })

  it('takes the off that YAML 1.1 readers turn into a boolean', () => {
    expect(parse('auth: { mode: false }').auth.mode).toBe('off')
    expect(parse('auth: { mode: off }').auth.mode).toBe('off')
  })

  it('never prints a secret', () => {
    const config = parse('providers: { a: { kind: openai, baseUrl: "http://a", apiKey: "sk-very-secret" } }')
    expect(JSON.stringify(config)).not.toContain('very-secret')
    expect(Object.values(config.providers.a ?? {}).join(' ')).toContain('***')
  })

  it('takes relative paths from the folder of the file', () => {
    const folder = tempFolder()
    const local = 'providers: { own: { kind: local, path: m.gguf } }'
    writeFileSync(join(folder, 'm.yaml'), `data: state\n${local}\nagent: { sources: { files: { paths: [logs] } } }`)
    const config = loadConfig(join(folder, 'm.yaml'))
    expect(config.data).toBe(join(folder, 'state'))
    expect(config.providers['own']).toMatchObject({ path: join(folder, 'm.gguf') })
    expect(config.agent.sources.files?.paths).toEqual([join(folder, 'logs')])
  })

  it.each([
    ['{ onCal: p }', 'tell.0.onCal is not a known key; did you mean onCall?'],
    ['{ team: a }', 'tell.0.team is not a known key'],
    ['{ person: 5 }', 'tell.0.person: '],
    ['{ everyone: false }', 'tell.0.everyone: '],
  ])('of what may be one of several things it says what is wrong with %s', (tell, says) => {
    const problems = problemsOf(`agent: { teams: { a: { escalation: { steps: [{ tell: [${tell}] }] } } } }`)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(`agent.teams.a.escalation.steps.0.${says}`)
  })

  it('a layer of a schedule that ends before it begins, and a rotation that is none, are told', () => {
    const layer = (more: string) =>
      problemsOf(
        `agent: { teams: { a: { people: { ada: { reach: [{ channel: webhook }] } }, schedules: { p: { layers: [
          { people: [ada], from: "2026-11-02T09:00", ${more} }] } } } }, notify: { webhook: { url: http://a } } }`,
      ).join()
    const at = 'agent.teams.a.schedules.p.layers.0'
    expect(layer('until: "2026-11-02"')).toContain(`${at}.until: must be later than from`)
    expect(layer('until: "2026-11-03"')).toBe('')
    expect(layer('rotation: wekly')).toMatch(/rotation: .*"daily"\|"weekly"/)
    expect(layer('rotation: { days: 0.5 }')).toContain(`${at}.rotation.days: `)
  })

  it('takes what the sources and the mail read besides from there too', () => {
    const folder = tempFolder()
    writeFileSync(
      join(folder, 'm.yaml'),
      `agent:
  sources:
    kubernetes: { kubeconfig: ./kube }
    journald: { files: [a.journal, /var/b.journal] }
    probes: { targets: [{ service: shop, url: https://shop.example, caFile: ca.pem }] }
  notify:
    email: { host: mail.example, caFile: ca.pem, from: a@b.example, to: [c@d.example] }`,
    )
    const { sources, notify } = loadConfig(join(folder, 'm.yaml')).agent
    expect(sources.kubernetes?.kubeconfig).toBe(join(folder, 'kube'))
    expect(sources.journald?.files).toEqual([join(folder, 'a.journal'), '/var/b.journal'])
    expect(sources.probes?.targets[0]?.caFile).toBe(join(folder, 'ca.pem'))
    expect(notify.email?.caFile).toBe(join(folder, 'ca.pem'))
  })

  it('takes the folder of a command and of its undo from there too', () => {
    const folder = tempFolder()
    const command = '{ argv: [./scale], folder: tools }'
    writeFileSync(
      join(folder, 'm.yaml'),
      `agent: { actions: [{ name: scale, does: scale, services: [shop], fits: [], title: Scale, expected: calm, risk: 2,
        command: ${command}, undo: { text: back, command: ${command} } }] }`,
    )
    const [action] = loadConfig(join(folder, 'm.yaml')).agent.actions
    expect(action?.command?.folder).toBe(join(folder, 'tools'))
    expect(action?.undo).toMatchObject({ command: { folder: join(folder, 'tools') } })
  })

  it('says so when the file is missing or not YAML', () => {
    expect(() => loadConfig('/nowhere/midwatch.yaml')).toThrow(/cannot be read: ENOENT/)
    expect(problemsOf('server: {port: 1').length).toBeGreaterThan(0)
    expect(problemsOf('a: 1\na: 2').join()).toMatch(/unique/)
  })
})
