// USE-lite (Cer et al. 2018: a Transformer of two layers) as an ONNX graph over whole batches, from the weights of its
// TensorFlow.js package. Only what it computes is taken over, not how: the original gathers and scatters what is no
// padding, here a mask leaves the padding out.
import { Graph } from '../onnx-file.ts'

/** A weight by its name in the package, less what all names begin with. */
export type Weights = (name: string) => Float32Array

interface Layer {
  readonly index: 0 | 1
  readonly width: number
}

const HEADS = 4
const WIDTH = 512
const HIDDEN = 1536
const PIECES = 8002

/** Inputs `ids` and `mask`, both [texts, pieces]; result `vectors`, [texts, 512], each of unit length. */
export function useLiteGraph(weights: Weights): Uint8Array {
  const g = new Graph()
  const ids = g.input('ids', 'int64', ['texts', 'pieces'])
  const mask = g.input('mask', 'float', ['texts', 'pieces'])

  const embedded = g.apply('Gather', [g.floats(weights('Embeddings_en'), [PIECES, 256]), ids])
  // The original adds the embedding a second time together with the signal of the place.
  let x = g.apply('Add', [g.apply('Add', [embedded, embedded]), timingSignal(g, weights, ids)])
  const maskColumn = g.apply('Unsqueeze', [mask, g.ints(2)])
  const padding = g.apply('Sub', [g.floats([1], []), mask])
  const bias = g.apply('Mul', [g.apply('Unsqueeze', [padding, g.ints(1, 2)]), g.floats([-1e9], [])])
  x = layer(g, weights, { index: 0, width: 256 }, x, bias)
  x = layer(g, weights, { index: 1, width: WIDTH }, x, bias)

  const sum = g.apply('ReduceSum', [g.apply('Mul', [x, maskColumn]), g.ints(1)], { keepdims: { int: 0 } })
  const mean = g.apply('Div', [sum, g.apply('ReduceSum', [mask, g.ints(1)])])
  const last = 'Encoder_en/hidden_layers/tanh_layer_0'
  const tanh = g.apply('Tanh', [linear(g, mean, weights(`${last}/weights`), WIDTH, WIDTH, weights(`${last}/bias`))])
  const length = g.apply('ReduceL2', [tanh], { axes: { ints: [1] }, keepdims: { int: 1 } })
  return g.bytes(g.apply('Div', [tanh, g.apply('Max', [length, g.floats([1e-6], [])])]), 'vectors', ['texts', WIDTH])
}

/** Sines and cosines of the place (Vaswani et al. 2017), [pieces, 256]. */
function timingSignal(g: Graph, weights: Weights, ids: string): string {
  const scales = weights(`${STACK}/Layer_0/AddTimingSignal/TimingSignal/ExpandDims_1`)
  const pieces = g.apply('Squeeze', [g.apply('Slice', [g.apply('Shape', [ids]), g.ints(1), g.ints(2)])])
  const zero = g.apply('Squeeze', [g.ints(0)])
  const places = g.apply('Cast', [g.apply('Range', [zero, pieces, g.apply('Squeeze', [g.ints(1)])])], {
    to: { int: 1 },
  })
  const angles = g.apply('Mul', [g.apply('Unsqueeze', [places, g.ints(1)]), g.floats(scales, [1, 128])])
  return g.apply('Concat', [g.apply('Sin', [angles]), g.apply('Cos', [angles])], { axis: { int: 1 } })
}

function layer(g: Graph, weights: Weights, { index, width }: Layer, x: string, bias: string): string {
  const of = (name: string): Float32Array => weights(`${ENCODE}/Layer_${index}/TransformerLayer/${name}`)
  const attended = attention(g, weights, { index, width }, normalised(g, x, of, ''), bias)
  // Where the layer is wider than what comes in, that is widened too.
  const residual =
    width === WIDTH ? x : linear(g, x, of(`dense/kernel${WHOLE}`), width, WIDTH, of(`dense/bias${WHOLE}`))
  const y = g.apply('Add', [attended, residual])
  const tensor = (name: string): Float32Array =>
    weights(`${STACK}/Layer_${index}/TransformerLayer/FFN/${name}/Tensordot/Reshape_1`)
  const inner = linear(g, normalised(g, y, of, 'FFN/'), tensor('conv1'), WIDTH, HIDDEN, of(`FFN/conv1/bias${WHOLE}`))
  const outer = linear(g, g.apply('Relu', [inner]), tensor('conv2'), HIDDEN, WIDTH, of(`FFN/conv2/bias${WHOLE}`))
  return g.apply('Add', [outer, y])
}

function attention(g: Graph, weights: Weights, { index, width }: Layer, x: string, bias: string): string {
  const of = (name: string): Float32Array =>
    weights(`${ENCODE}/Layer_${index}/TransformerLayer/MultiheadAttention/${name}`)
  const kernel = (name: string): Float32Array =>
    weights(
      `Encoder_en/KonaTransformer/Encode/Layer_${index}/TransformerLayer/MultiheadAttention/${name}/kernel/part_0`,
    )
  const qkv = linear(g, x, kernel('qkv_transform_single'), width, 3 * width, of(`qkv_transform_single/bias${WHOLE}`))
  const inHeads = g.ints(0, 0, HEADS, width / HEADS)
  const [q = '', k = '', v = ''] = g
    .split('Split', [qkv, g.ints(width, width, width)], 3, { axis: { int: 2 } })
    .map((part) => g.apply('Reshape', [part, inHeads]))
  const query = g.apply('Transpose', [q], { perm: { ints: [0, 2, 1, 3] } })
  const scaled = g.apply('Mul', [query, g.floats([1 / Math.sqrt(width / HEADS)], [])])
  const scores = g.apply('MatMul', [scaled, g.apply('Transpose', [k], { perm: { ints: [0, 2, 3, 1] } })])
  const shares = g.apply('Softmax', [g.apply('Add', [scores, bias])], { axis: { int: -1 } })
  const heads = g.apply('MatMul', [shares, g.apply('Transpose', [v], { perm: { ints: [0, 2, 1, 3] } })])
  const joined = g.apply('Reshape', [
    g.apply('Transpose', [heads], { perm: { ints: [0, 2, 1, 3] } }),
    g.ints(0, 0, width),
  ])
  const output = 'output_transform_single'
  return linear(g, joined, kernel(output), width, WIDTH, of(`${output}/bias${WHOLE}`))
}

function normalised(g: Graph, x: string, of: Weights, part: string): string {
  const scale = of(`${part}layer_prepostprocess/layer_norm/layer_norm_scale${WHOLE}`)
  const bias = of(`${part}layer_prepostprocess/layer_norm/layer_norm_bias${WHOLE}`)
  const inputs = [x, g.floats(scale, [scale.length]), g.floats(bias, [bias.length])]
  return g.apply('LayerNormalization', inputs, { axis: { int: -1 }, epsilon: { float: 1e-6 } })
}

function linear(g: Graph, x: string, kernel: Float32Array, from: number, to: number, bias: Float32Array): string {
  return g.apply('Add', [g.apply('MatMul', [x, g.floats(kernel, [from, to])]), g.floats(bias, [to])])
}

const ENCODE = 'apply_default/Encoder_en/KonaTransformer/Encode'
const STACK = `${ENCODE}/TransformerStack`
const WHOLE = '/ConcatPartitions/concat'
