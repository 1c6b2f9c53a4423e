// Writes a model file of half a megabyte with random weights: it says nothing sensible, but it loads, streams, embeds and
// keeps to a grammar like any other. (GGUF version 3, the `llama` architecture, a vocabulary of single bytes.)
import { writeFileSync } from 'node:fs'

const EMBEDDING = 64
const LAYERS = 2
const HEADS = 4
const FEED_FORWARD = 128
const CONTEXT = 4096
const ALIGNMENT = 32

const TYPE = { uint32: 4, float32: 6, bool: 7, string: 8, array: 9, uint64: 10, int32: 5 } as const
const TOKEN = { normal: 1, unknown: 2, control: 3, byte: 6 } as const

interface Token {
  readonly text: string
  readonly score: number
  readonly type: number
}

/** Turns of a conversation between marks, as many models have them. */
const TEMPLATE =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"

export function writeRandomModel(path: string, seed = 1): void {
  const tokens = vocabulary()
  const tensors = shapes(tokens.length).map(([name, shape]) => ({ name, shape, data: random(shape, seed++) }))
  const out = new Bytes()
  out.raw(Buffer.from('GGUF')).uint32(3).uint64(tensors.length)
  const metadata = metadataOf(tokens)
  out.uint64(metadata.length)
  for (const write of metadata) write(out)
  let offset = 0
  for (const { name, shape, data } of tensors) {
    out.string(name).uint32(shape.length)
    for (const size of shape) out.uint64(size)
    out.uint32(0).uint64(offset)
    offset += padded(data.length)
  }
  out.pad()
  for (const { data } of tensors) out.raw(data).pad()
  writeFileSync(path, out.whole())
}

function vocabulary(): Token[] {
  const bytes = Array.from({ length: 256 }, (_, byte) => ({
    text: `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
    score: 0,
    type: TOKEN.byte,
  }))
  const letters = Array.from({ length: 95 }, (_, i) => ({
    // A space is written so in such vocabularies.
    text: i === 0 ? '\u2581' : String.fromCharCode(0x20 + i),
    score: -1 - i / 100,
    type: TOKEN.normal,
  }))
  const control = (text: string): Token => ({ text, score: 0, type: TOKEN.control })
  return [
    { text: '<unk>', score: 0, type: TOKEN.unknown },
    control('<s>'),
    control('</s>'),
    control('<|im_start|>'),
    control('<|im_end|>'),
    ...bytes,
    ...letters,
  ]
}

function metadataOf(tokens: readonly Token[]): ((out: Bytes) => unknown)[] {
  const text = (key: string, value: string) => (out: Bytes) => out.string(key).uint32(TYPE.string).string(value)
  const count = (key: string, value: number) => (out: Bytes) => out.string(key).uint32(TYPE.uint32).uint32(value)
  const flag = (key: string, value: boolean) => (out: Bytes) =>
    out
      .string(key)
      .uint32(TYPE.bool)
      .byte(value ? 1 : 0)
  const list = (key: string, type: number, write: (out: Bytes, token: Token) => unknown) => (out: Bytes) => {
    out.string(key).uint32(TYPE.array).uint32(type).uint64(tokens.length)
    for (const token of tokens) write(out, token)
  }
  return [
    text('general.architecture', 'llama'),
    text('general.name', 'random'),
    count('llama.context_length', CONTEXT),
    count('llama.embedding_length', EMBEDDING),
    count('llama.block_count', LAYERS),
    count('llama.feed_forward_length', FEED_FORWARD),
    count('llama.attention.head_count', HEADS),
    count('llama.attention.head_count_kv', HEADS),
    count('llama.rope.dimension_count', EMBEDDING / HEADS),
    count('llama.vocab_size', tokens.length),
    (out) => out.string('llama.attention.layer_norm_rms_epsilon').uint32(TYPE.float32).float32(1e-5),
    text('tokenizer.ggml.model', 'llama'),
    list('tokenizer.ggml.tokens', TYPE.string, (out, token) => out.string(token.text)),
    list('tokenizer.ggml.scores', TYPE.float32, (out, token) => out.float32(token.score)),
    list('tokenizer.ggml.token_type', TYPE.int32, (out, token) => out.uint32(token.type)),
    count('tokenizer.ggml.unknown_token_id', 0),
    count('tokenizer.ggml.bos_token_id', 1),
    count('tokenizer.ggml.eos_token_id', 4),
    flag('tokenizer.ggml.add_bos_token', true),
    text('tokenizer.chat_template', TEMPLATE),
  ]
}

function shapes(vocabularySize: number): [string, readonly number[]][] {
  const square = [EMBEDDING, EMBEDDING]
  return [
    ['token_embd.weight', [EMBEDDING, vocabularySize]],
    ['output_norm.weight', [EMBEDDING]],
    ['output.weight', [EMBEDDING, vocabularySize]],
    ...Array.from({ length: LAYERS }, (_, i): [string, readonly number[]][] => [
      [`blk.${i}.attn_norm.weight`, [EMBEDDING]],
      [`blk.${i}.attn_q.weight`, square],
      [`blk.${i}.attn_k.weight`, square],
      [`blk.${i}.attn_v.weight`, square],
      [`blk.${i}.attn_output.weight`, square],
      [`blk.${i}.ffn_norm.weight`, [EMBEDDING]],
      [`blk.${i}.ffn_gate.weight`, [EMBEDDING, FEED_FORWARD]],
      [`blk.${i}.ffn_up.weight`, [EMBEDDING, FEED_FORWARD]],
      [`blk.${i}.ffn_down.weight`, [FEED_FORWARD, EMBEDDING]],
    ]).flat(),
  ]
}

/** The same for the same seed. Norms are ones. */
function random(shape: readonly number[], seed: number): Buffer {
  const size = shape.reduce((all, one) => all * one, 1)
  let state = seed * 2654435761
  const next = () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32
    return state / 2 ** 32 - 0.5
  }
  const values = Float32Array.from({ length: size }, () => (shape.length === 1 ? 1 : next()))
  return Buffer.from(values.buffer)
}

const padded = (size: number): number => Math.ceil(size / ALIGNMENT) * ALIGNMENT

class Bytes {
  readonly #pieces: Buffer[] = []
  #size = 0

  raw(bytes: Buffer): this {
    this.#pieces.push(bytes)
    this.#size += bytes.length
    return this
  }

  pad(): this {
    return this.raw(Buffer.alloc(padded(this.#size) - this.#size))
  }

  byte(value: number): this {
    return this.raw(Buffer.from([value]))
  }

  uint32(value: number): this {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32LE(value)
    return this.raw(bytes)
  }

  uint64(value: number): this {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64LE(BigInt(value))
    return this.raw(bytes)
  }

  float32(value: number): this {
    const bytes = Buffer.alloc(4)
    bytes.writeFloatLE(value)
    return this.raw(bytes)
  }

  string(text: string): this {
    const bytes = Buffer.from(text)
    return this.uint64(bytes.length).raw(bytes)
  }

  whole(): Buffer {
    return Buffer.concat(this.#pieces)
  }
}
