// Where the text of the last user's message stands in a body: the one place in which requests may differ that the
// semantic cache takes for the same. Found in the bytes, so that everything around it still counts byte for byte.
import { elementsOf, layoutOf, type Member, type Range } from '../../core/json-members.ts'
import type { DialectName } from '../../llm/dialect.ts'
import type { RequestKey } from './request-key.ts'

export interface UserText extends Range {
  readonly text: string
}

/** The member that holds the conversation. Other dialects have none. */
const CONVERSATION: Readonly<Partial<Record<DialectName, string>>> = {
  'openai-chat': 'messages',
  'openai-responses': 'input',
  'anthropic-messages': 'messages',
}

const TEXT_TYPES: ReadonlySet<unknown> = new Set(['text', 'input_text'])

/**
 * undefined where there is not exactly one text that could differ: no user's message, none with text, several texts, or
 * a key given twice, of which nobody knows which counts.
 */
export function findLastUserText({ ask, members }: RequestKey): UserText | undefined {
  const { body } = ask
  const conversation = only(members, CONVERSATION[ask.dialect] ?? '')
  if (!conversation) return undefined
  if (isString(body, conversation)) return textAt(body, conversation)
  if (!isArray(body, conversation)) return undefined
  for (const message of elementsOf(body, conversation).toReversed()) {
    const fields = fieldsOf(body, message)
    const role = only(fields, 'role')
    if (!role || valueAt(body, role) !== 'user') continue
    const content = only(fields, 'content')
    return content && textIn(body, content)
  }
  return undefined
}

function textIn(body: Buffer, content: Range): UserText | undefined {
  if (isString(body, content)) return textAt(body, content)
  if (!isArray(body, content)) return undefined
  const texts = elementsOf(body, content).flatMap((part) => {
    const fields = fieldsOf(body, part)
    const type = only(fields, 'type')
    if (!type || !TEXT_TYPES.has(valueAt(body, type))) return []
    return [only(fields, 'text')]
  })
  const text = texts.length === 1 ? texts[0] : undefined
  return text && isString(body, text) ? textAt(body, text) : undefined
}

function fieldsOf(body: Buffer, { start, end }: Range): Member[] {
  if (body[start] !== 0x7b) return []
  return layoutOf(body.subarray(start, end)).members.map((field) => ({
    key: field.key,
    start: field.start + start,
    end: field.end + start,
  }))
}

function only(members: readonly Member[], key: string): Member | undefined {
  const found = members.filter((member) => member.key === key)
  return found.length === 1 ? found[0] : undefined
}

const isString = (body: Buffer, { start }: Range): boolean => body[start] === 0x22
const isArray = (body: Buffer, { start }: Range): boolean => body[start] === 0x5b
const valueAt = (body: Buffer, { start, end }: Range): unknown => JSON.parse(body.toString('utf8', start, end))

const textAt = (body: Buffer, { start, end }: Range): UserText => ({
  start,
  end,
  text: valueAt(body, { start, end }) as string,
})
