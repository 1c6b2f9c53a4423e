// Where the vectors stand in the bytes of an answer, so that they can be handed on digit for digit: a float written anew
// from what was parsed would not always be the float that was sent.
import { elementsOf, layoutOf, type Range } from '../../core/json-members.ts'

export interface VectorPlace {
  /** The whole element of `data`. */
  readonly element: Range
  readonly embedding: Range | undefined
  readonly index: Range | undefined
}

export interface AnswerLayout {
  /** The value of `data`. */
  readonly data: Range
  /** In the order in which they stand there. */
  readonly vectors: readonly VectorPlace[]
  readonly usage: Range | undefined
}

/** Of an answer that was read and found good. undefined where a key of it stands twice. */
export function layoutOfAnswer(body: Buffer): AnswerLayout | undefined {
  const { members } = layoutOf(body)
  const [data, second] = members.filter(({ key }) => key === 'data')
  const usages = members.filter(({ key }) => key === 'usage')
  if (!data || second || usages.length > 1) return undefined
  return { data, usage: usages[0], vectors: elementsOf(body, data).map((element) => placeOf(body, element)) }
}

function placeOf(body: Buffer, element: Range): VectorPlace {
  const { members } = layoutOf(body.subarray(element.start, element.end))
  const find = (name: string): Range | undefined => {
    const member = members.findLast(({ key }) => key === name)
    return member && { start: element.start + member.start, end: element.start + member.end }
  }
  return { element, embedding: find('embedding'), index: find('index') }
}
