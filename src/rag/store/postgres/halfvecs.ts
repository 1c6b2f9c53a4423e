// Vectors on their way into PostgreSQL, in the binary form of an array of halfvecs: an array's head, then each vector with its length
// in bytes, its dimension, and its numbers as half floats. Written as text they would hold the main thread for a millisecond
// each passage.

/** Of each whole number from -127 to 127, which is exact, its half float. */
const HALVES = Uint16Array.from({ length: 255 }, (_, i) => halfOf(i - 127))

function halfOf(whole: number): number {
  if (whole === 0) return 0
  const size = Math.abs(whole)
  const exponent = Math.floor(Math.log2(size))
  const fraction = (size / 2 ** exponent - 1) * 1024
  return ((whole < 0 ? 1 : 0) << 15) | ((exponent + 15) << 10) | fraction
}

/** `numbers` holds the vectors one behind the other. `type` is halfvec's number (oid) in this database. */
export function halfvecArray(numbers: Int8Array, dimension: number, type: number): Buffer {
  const count = numbers.length / dimension
  const each = 8 + 2 * dimension
  const array = Buffer.allocUnsafe(20 + count * each)
  const head = count === 0 ? [0, 0, type] : [1, 0, type, count, 1]
  head.forEach((value, i) => array.writeInt32BE(value, 4 * i))
  let at = 4 * head.length
  for (let vector = 0; vector < count; vector++) {
    array.writeInt32BE(each - 4, at)
    array.writeInt16BE(dimension, at + 4)
    array.writeInt16BE(0, at + 6)
    at += 8
    for (let i = vector * dimension; i < (vector + 1) * dimension; i++, at += 2)
      array.writeUInt16BE(HALVES[(numbers[i] ?? 0) + 127] ?? 0, at)
  }
  return array.subarray(0, at)
}
