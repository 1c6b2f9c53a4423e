// What OpenAI's own models refuse, told by their names: a reasoning model takes no `max_tokens`, no sampling and no
// `stop`; the others take no `reasoning_effort`. Names of other makers (also `gpt-oss`) are not among them.

/** o1, o3, o4-mini, gpt-5, gpt-5.2-codex …; not gpt-5-chat, nor gpt-4o. */
const REASONS = /(?:^|\/)(?:o\d|gpt-(?:[5-9]|\d\d)|codex-|computer-use)(?!.*chat)/
const OPENAI = /(?:^|\/)(?:gpt-(?!oss)|o\d|chatgpt-|codex-)/

export const isOpenAiReasoning = (model: string): boolean => REASONS.test(model)
export const isOpenAiModel = (model: string): boolean => OPENAI.test(model)
