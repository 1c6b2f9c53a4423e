// A folder as Hugging Face exports an encoder, small enough to be made by a test: each word has a fixed vector of three.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Graph } from '../onnx-file.ts'

const WORDS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'disk', 'full', 'query', '.']

/** `files`: further files by their paths, or others in the place of those. */
export function writeTinyEncoder(folder: string, files: Readonly<Record<string, unknown>> = {}): string {
  const g = new Graph()
  const ids = g.input('input_ids', 'int64', ['batch', 'sequence'])
  g.input('attention_mask', 'int64', ['batch', 'sequence'])
  const table = WORDS.flatMap((_, i) => [Math.cos(i), Math.sin(i), i / WORDS.length])
  const embedded = g.apply('Gather', [g.floats(table, [WORDS.length, 3]), ids])
  const model = g.bytes(embedded, 'last_hidden_state', ['batch', 'sequence', 3])
  const all: Record<string, unknown> = {
    'onnx/model.onnx': model,
    'tokenizer.json': tokenizer,
    'config.json': { model_type: 'bert', max_position_embeddings: 16 },
    ...files,
  }
  for (const [path, content] of Object.entries(all)) {
    if (content === null) continue
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content instanceof Uint8Array ? content : JSON.stringify(content))
  }
  return folder
}

/** What it gives for these words, by their places in the vocabulary. */
export function meanOf(...words: readonly string[]): number[] {
  const sum = [0, 0, 0]
  for (const word of words) {
    const i = WORDS.indexOf(word)
    ;[Math.cos(i), Math.sin(i), i / WORDS.length].forEach((x, d) => (sum[d] = (sum[d] ?? 0) + x))
  }
  const length = Math.hypot(...sum)
  return sum.map((x) => x / length)
}

const tokenizer = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: WORDS.slice(0, 4).map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  })),
  normalizer: {
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [
      { SpecialToken: { id: '[CLS]', type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { SpecialToken: { id: '[SEP]', type_id: 0 } },
    ],
    pair: [],
    special_tokens: {
      '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] },
      '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] },
    },
  },
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(WORDS.map((word, i) => [word, i])),
  },
}
