// The values of an action's parameters, held against their types: when it is proposed, and again when it is carried out.
import type { ParameterConfig } from '../../../config/action-schema.ts'

/**
 * Why a text cannot be a value in any action, or undefined. No control characters, nothing invisible, no half of a
 * character, no step up a path, and no longer than a name can be.
 */
export const whyHarmful = (value: string): string | undefined =>
  value !== '' && !/^\.+$/.test(value) && value.length <= 200 && !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(value)
    ? undefined
    : 'holds characters that no name or version has'

/** Why a value does not fit its parameter, or undefined. */
export function whyUnfit(parameter: ParameterConfig, value: string): string | undefined {
  // A text is the catalogue's own.
  if (typeof parameter === 'string') return undefined
  switch (parameter.type) {
    case 'enum': {
      return parameter.values.includes(value) ? undefined : `is none of ${parameter.values.join(', ')}`
    }
    case 'number': {
      if (!/^-?\d{1,15}(\.\d{1,10})?$/.test(value)) return 'is not a number'
      const number = Number(value)
      if (parameter.integer && !Number.isInteger(number)) return 'is not a whole number'
      return number < parameter.min || number > parameter.max
        ? `is not between ${parameter.min} and ${parameter.max}`
        : undefined
    }
    case 'string': {
      if (value.length > parameter.maxLength) return `is longer than ${parameter.maxLength}`
      const { pattern } = parameter
      return pattern === undefined || new RegExp(`^(?:${pattern})$`, 'u').test(value)
        ? undefined
        : `does not match ${pattern}`
    }
  }
}
