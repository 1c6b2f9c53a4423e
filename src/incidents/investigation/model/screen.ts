// Text that speaks to a machine rather than to an engineer: it is marked wherever it is shown and told to a model as what
// it is. Nothing is decided by it. What keeps such text from doing anything is that nothing reads it as more than data.
import { withoutInvisible } from '../../../core/invisible.ts'

const PATTERNS: readonly RegExp[] = [
  /\b(ignore|disregard|forget|override|bypass|skip)\b.{0,40}\b(previous|above|prior|earlier|all|any|your|these|other)\b.{0,40}\b(instructions?|rules?|prompts?|guidelines?|directions?|told|polic(y|ies)|claims?)\b/is,
  /\b(system|developer) ?(prompt|message|override|instruction)\b|<\/?(system|assistant|tool|instructions?|user)\b|\[\/?INST\]|<\|im_|###? ?(instruction|system)/i,
  /\byou are (now |actually )?(an?|the|in) (ai|assistant|agent|language model|llm|root|admin|developer mode|dan)\b/i,
  /\b(as|dear|attention|hey|note to|hello) (an? |the )?(ai|assistant|language model|llm|agents?|chatbot|gpt|claude|midwatch)\b/i,
  /\b(new|updated|additional|important|special) (system )?(instructions?|directives?|orders)\b/i,
  /\b(approve|run|execute|perform|carry out)\b.{0,60}\b(without (approval|asking|confirmation)|automatically( approve)?|immediately)\b|\bautomatically approve\b/is,
  /\b(do not|don't|never) (tell|mention|report|alert|page|notify|investigate|reveal)\b/i,
  /\b(reveal|repeat|print|output|send|leak|exfiltrate|include|append)\b.{0,50}\b(prompt|instructions?|secrets?|passwords?|credentials?|api[ _-]?keys?|tokens?|environment)\b/is,
  /\b(your|the) (only |real |new |actual )?(task|goal|job|role|answer|response|output|verdict) (is|must be|should be|now)\b/i,
  /\b(respond|answer|reply|say|output|conclude|report|name|blame|return)\b.{0,20}\b(only|exactly|nothing but|instead|that the cause|as the (root )?cause)\b/i,
  /\b(close|silence|suppress|mute|resolve|acknowledge) (this|the|all|every|any) (incidents?|alerts?|alarms?|pages?)\b/i,
  /\b(call|invoke|use) the .{0,30}\b(tool|function|action)\b|\bpretend\b.{0,40}\b(you|to be)\b|\bjailbreak/i,
  /!\[[^\]]*\]\(\s*(https?:)?\/\//i,
]

/** Looked at up to here: a longer text is clipped before anybody reads it. */
const MOST_LOOKED_AT = 20_000

export function speaksToMachine(text: string): boolean {
  const seen = withoutInvisible(text.slice(0, MOST_LOOKED_AT)).normalize('NFKC')
  return PATTERNS.some((pattern) => pattern.test(seen))
}

/** The text without what cannot be seen, at most `maxLength` long, well-formed. */
export function visibleText(text: string, maxLength: number): string {
  const seen = withoutInvisible(text.slice(0, maxLength * 2).toWellFormed())
  return seen.length <= maxLength ? seen : `${seen.slice(0, maxLength - 1).toWellFormed()}…`
}
