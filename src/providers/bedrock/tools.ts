// Tools as Converse takes them. Those that were called before must be defined, also where none may be called now; there
// is no word for that, so it is said in the instructions, as is a choice that the model cannot be held to.
import type { Json } from '../../dialects/json.ts'
import type { NeutralChat, ToolChoice, ToolDefinition } from '../../llm/request.ts'
import type { ModelTraits } from './models.ts'
import type { AnswerForm } from './structured.ts'
import { cachePoint } from './write-messages.ts'

interface Tools {
  readonly config?: Json
  readonly instruction?: string
}

export function toolsFor(
  { tools, toolChoice }: NeutralChat,
  traits: ModelTraits,
  called: ReadonlySet<string>,
  form: AnswerForm,
): Tools {
  if (form.kind === 'tool') {
    const { name, schema, description = 'Gives the answer.' } = form
    return {
      config: { tools: [toolSpec(name, description, schema)], toolChoice: { tool: { name } } },
    }
  }
  if (tools.length === 0) {
    if (called.size === 0) return {}
    const known = [...called].map((name) => toolSpec(name, undefined, {}))
    return { config: { tools: known }, instruction: NO_TOOLS }
  }
  const known = tools.flatMap((tool) => writeTool(tool, traits))
  if (toolChoice?.kind !== 'none') return { ...chosen(toolChoice, known, traits) }
  return called.size === 0 ? {} : { config: { tools: known }, instruction: NO_TOOLS }
}

const NO_TOOLS = 'Do not call any tool. Answer in words.'

function chosen(choice: ToolChoice | undefined, tools: readonly Json[], { forcedTools }: ModelTraits): Tools {
  switch (choice?.kind) {
    case undefined:
    case 'auto':
    case 'none':
      return { config: { tools } }
    case 'required':
      return forcedTools === 'none'
        ? { config: { tools }, instruction: 'Answer by calling one of the tools.' }
        : { config: { tools, toolChoice: { any: {} } } }
    case 'tool':
      return forcedTools === 'tool'
        ? { config: { tools, toolChoice: { tool: { name: choice.name } } } }
        : { config: { tools }, instruction: `Answer by calling the tool ${choice.name}.` }
  }
}

const writeTool = ({ name, description, parameters, cache }: ToolDefinition, traits: ModelTraits): readonly Json[] => [
  toolSpec(name, description, parameters),
  ...cachePoint(cache, traits),
]

const toolSpec = (name: string, description: string | undefined, schema: Json): Json => ({
  toolSpec: {
    name,
    ...(description === undefined || description.trim() === '' ? {} : { description }),
    inputSchema: { json: { type: 'object', ...schema } },
  },
})
