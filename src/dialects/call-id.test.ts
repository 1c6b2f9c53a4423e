import fc from 'fast-check'
import { expect, test } from 'vitest'
import { plainCallId, signatureOf, signedCallId, withoutSignatures } from './call-id.ts'

const id = fc.stringMatching(/^[a-zA-Z0-9_]{1,40}$/)
const signature = fc.oneof(fc.base64String({ minLength: 1 }), fc.string({ minLength: 1 }))

test('an id gives back the signature and the id that it was made of, in characters that every dialect takes', () => {
  fc.assert(
    fc.property(id, signature, (plain, proof) => {
      const signed = signedCallId(plain, proof)
      expect(signed).toMatch(/^[a-zA-Z0-9_-]+$/)
      expect([plainCallId(signed), signatureOf(signed)]).toEqual([plain, proof])
    }),
  )
})

test('an id without one is itself', () => {
  fc.assert(
    fc.property(id, (plain) => {
      expect([plainCallId(plain), signatureOf(plain)]).toEqual([plain, undefined])
    }),
  )
})

test('a body loses the signatures and not one other byte', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), id, fc.option(signature))), (parts) => {
      const body = (signed: boolean) =>
        Buffer.from(
          JSON.stringify(
            parts.map(([text, plain, proof]) => [text, signed && proof ? signedCallId(plain, proof) : plain]),
          ),
        )
      expect(withoutSignatures(body(true)).equals(body(false))).toBe(true)
    }),
  )
})
