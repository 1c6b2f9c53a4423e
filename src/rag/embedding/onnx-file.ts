// Writes ONNX files: the few messages of the format (onnx.proto3, IR version 8, operators of set 17) that a plain graph
// needs, in the wire format of Protocol Buffers. A library for this would be larger than all that is written with it.

type Attribute = { readonly ints: readonly number[] } | { readonly int: number } | { readonly float: number }

interface Operation {
  readonly op: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: Readonly<Record<string, Attribute>>
}

interface Constant {
  readonly name: string
  readonly shape: readonly number[]
  readonly values: Float32Array | BigInt64Array
}

const FLOAT = 1
const INT64 = 7

/** A graph as it is put together: each operation gives the name of its result, to be the input of others. */
export class Graph {
  readonly #operations: Operation[] = []
  readonly #constants: Constant[] = []
  readonly #inputs: Uint8Array[] = []
  #count = 0

  /** `shape`: a name where the size is known only when it is run. */
  input(name: string, type: 'float' | 'int64', shape: readonly (string | number)[]): string {
    this.#inputs.push(valueInfo(name, type === 'float' ? FLOAT : INT64, shape))
    return name
  }

  floats(values: Float32Array | readonly number[], shape: readonly number[]): string {
    return this.#constant(Float32Array.from(values), shape)
  }

  ints(...values: number[]): string {
    return this.#constant(BigInt64Array.from(values, BigInt), [values.length])
  }

  apply(op: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    return this.split(op, inputs, 1, attributes)[0] ?? ''
  }

  /** For an operation of several results. */
  split(
    op: string,
    inputs: readonly string[],
    results: number,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string[] {
    const outputs = Array.from({ length: results }, () => this.#name())
    this.#operations.push({ op, inputs, outputs, attributes })
    return outputs
  }

  /** The file. `result` is called `name` in it. */
  bytes(result: string, name: string, shape: readonly (string | number)[]): Uint8Array {
    this.#operations.push({ op: 'Identity', inputs: [result], outputs: [name], attributes: {} })
    const graph = message(
      ...this.#operations.map((operation) => bytesField(1, operationBytes(operation))),
      textField(2, 'encoder'),
      ...this.#constants.map((constant) => bytesField(5, constantBytes(constant))),
      ...this.#inputs.map((input) => bytesField(11, input)),
      bytesField(12, valueInfo(name, FLOAT, shape)),
    )
    return message(
      numberField(1, 8),
      textField(2, 'midwatch'),
      bytesField(7, graph),
      bytesField(8, message(textField(1, ''), numberField(2, 17))),
    )
  }

  #constant(values: Constant['values'], shape: readonly number[]): string {
    const name = this.#name()
    this.#constants.push({ name, shape, values })
    return name
  }

  #name = (): string => `v${this.#count++}`
}

const operationBytes = ({ op, inputs, outputs, attributes }: Operation): Uint8Array =>
  message(
    ...inputs.map((input) => textField(1, input)),
    ...outputs.map((output) => textField(2, output)),
    textField(4, op),
    ...Object.entries(attributes).map(([name, attribute]) => bytesField(5, attributeBytes(name, attribute))),
  )

function attributeBytes(name: string, attribute: Attribute): Uint8Array {
  if ('float' in attribute) {
    const four = new Uint8Array(4)
    new DataView(four.buffer).setFloat32(0, attribute.float, true)
    return message(textField(1, name), tag(2, 5), four, numberField(20, 1))
  }
  if ('int' in attribute) return message(textField(1, name), numberField(3, attribute.int), numberField(20, 2))
  return message(textField(1, name), ...attribute.ints.map((one) => numberField(8, one)), numberField(20, 7))
}

const constantBytes = ({ name, shape, values }: Constant): Uint8Array =>
  message(
    ...shape.map((size) => numberField(1, size)),
    numberField(2, values instanceof Float32Array ? FLOAT : INT64),
    textField(8, name),
    // Little-endian, as every machine that we run on.
    bytesField(9, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
  )

function valueInfo(name: string, type: number, shape: readonly (string | number)[]): Uint8Array {
  const sizes = shape.map((size) => bytesField(1, typeof size === 'number' ? numberField(1, size) : textField(2, size)))
  const tensor = message(numberField(1, type), bytesField(2, message(...sizes)))
  return message(textField(1, name), bytesField(2, bytesField(1, tensor)))
}

const message = (...fields: readonly Uint8Array[]): Uint8Array => Buffer.concat(fields)
const tag = (field: number, kind: 0 | 2 | 5): Uint8Array => varint(BigInt((field << 3) | kind))
const numberField = (field: number, value: number): Uint8Array => message(tag(field, 0), varint(BigInt(value)))
const textField = (field: number, text: string): Uint8Array => bytesField(field, Buffer.from(text))
const bytesField = (field: number, bytes: Uint8Array): Uint8Array =>
  message(tag(field, 2), varint(BigInt(bytes.length)), bytes)

function varint(value: bigint): Uint8Array {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, value)
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  bytes.push(Number(rest))
  return Uint8Array.from(bytes)
}
