import { describe, expect, it } from 'vitest'
import { AppError } from '../../core/errors.ts'
import { parseDocument, readDocument } from './parse.ts'
import { makeDocx, makePdf, makeZip } from './testing/files.ts'

const raw = (id: string, content: string | Uint8Array, more: { mediaType?: string } = {}) => ({
  id,
  source: null,
  bytes: typeof content === 'string' ? Buffer.from(content) : content,
  metadata: { team: 'storage' },
  ...more,
})
const parse = (id: string, content: string | Uint8Array) => parseDocument(raw(id, content))

async function failure(work: Promise<unknown>): Promise<AppError> {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (thrown instanceof AppError) return thrown
  throw new Error(`expected an AppError, got ${String(thrown)}`)
}

describe('Markdown', () => {
  it('keeps the offsets of the file, and takes scalars of the front matter that the source does not give', async () => {
    const source = '---\ntitle: Disk full\nteam: other\n---\n\n# Meaning\n\nThe disk {{< bold >}} is full.\n'
    const document = await parse('a/disk.md', source)
    expect(document.text).toBe(source)
    expect(document.title).toBe('Disk full')
    expect(document.metadata).toEqual({ title: 'Disk full', team: 'storage' })
    expect(document.blocks.map(({ kind, start, end }) => [kind, source.slice(start, end)])).toEqual([
      ['heading', '# Meaning'],
      ['paragraph', 'The disk {{< bold >}} is full.'],
    ])
  })

  it('blanks what is hidden in place, but neither code nor placeholders', async () => {
    const source =
      'Seen <!-- obey --> one.\n\n<div style="color: #FFF">\n\nobey\n\n</div>\n\n`<!-- shown -->` and <script> said.\n\n```\n<!-- code -->\n```\n'
    const { text } = await parse('a.md', source)
    expect(text).toHaveLength(source.length)
    expect(text).not.toContain('obey')
    for (const shown of ['<!-- shown -->', '<script> said.', '<!-- code -->']) expect(text).toContain(shown)
  })

  it('gives a later part of a table the names of its columns', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => `| alert-${i} | restart node ${i} |`).join('\n')
    const { passages } = await readDocument(raw('t.md', `# Alerts\n\n| Alert | Action |\n|---|---|\n${rows}\n`))
    expect(passages.length).toBeGreaterThan(1)
    expect(passages[1]?.headings).toEqual(['Alerts', 'Columns: Alert | Action'])
    expect(passages[1]?.text).toMatch(/^\| alert-\d+ \|/)
  })
})

describe('HTML', () => {
  it('reads the main content, each row of a table with its columns, and nothing that is hidden', async () => {
    const document = await parse(
      'page.html',
      `<title>Page</title><body><nav>menu</nav><main><h2>Disk <b>full</b></h2><p>Look<script>obey()</script> first.</p>
       <p style="display : none">obey</p><p hidden>obey</p><span aria-hidden="true">obey</span><i style="font-size:0">obey</i>
       <p style="color:white">obey</p><!-- obey --><ul><li>one<li>two</ul>
       <table><tr><th>Alert</th><th>Action</th></tr><tr><td>Full</td><td>Grow</td></tr></table></main><footer>foot</footer>`,
    )
    expect(document.text).toBe('Disk full\n\nLook first.\n\n- one\n- two\n\nAlert | Action\nAlert: Full; Action: Grow')
    expect(document.title).toBe('Page')
  })

  it('refuses what is nested too deep to be read', async () => {
    const error = await failure(parse('deep.html', `${'<div>'.repeat(100_000)}x`))
    expect(['malformed', 'deadline']).toContain(error.code)
  })
})

describe('PDF', () => {
  it('knows the page of a text, and headings by their size', async () => {
    const { document, passages } = await readDocument(
      raw(
        'a.pdf',
        makePdf([
          [
            [24, 'Disk full'],
            [10, 'Look at the disk first of all.'],
          ],
          [[10, 'Then grow the volume of it.']],
        ]),
      ),
    )
    expect(document.blocks.map(({ kind, page, start, end }) => [kind, page, document.text.slice(start, end)])).toEqual([
      ['heading', 1, 'Disk full'],
      ['paragraph', 1, 'Look at the disk first of all.'],
      ['paragraph', 2, 'Then grow the volume of it.'],
    ])
    expect(passages[0]).toMatchObject({ headings: ['Disk full'], page: 1 })
  })

  const at = (y: number, text: string, how = '') => `q BT ${how} /F1 12 Tf 50 ${y} Td (${text}) Tj ET Q`

  it('leaves out what nobody sees: of no paint, of the colour of its ground, transparent, beside the page', async () => {
    const page = [
      at(700, 'The pool holds'),
      at(684, 'obey one', '3 Tr'),
      at(668, '20 connections to the database.'),
      at(652, 'obey two', '1 1 1 rg'),
      at(636, 'obey three', '/Clear gs'),
      `q 0 0 1 rg 40 600 300 30 re f Q ${at(610, 'A heading on blue', '1 g')} ${at(604, 'obey four', '0 0 1 rg')}`,
      `q 1 0 0 1 0 5000 cm ${at(500, 'obey five')} Q`,
      'BT 3 Tr /F1 12 Tf 50 560 Td (obey six) Tj 0 Tr ( and be seen.) Tj ET',
    ].join('\n')
    const { text } = await parse('a.pdf', makePdf([page]))
    expect(text).not.toContain('obey')
    for (const seen of ['The pool holds', '20 connections', 'A heading on blue', 'and be seen.'])
      expect(text).toContain(seen)
  })

  it('keeps the recognised text of a scan, which is drawn without paint over its picture', async () => {
    const scan = [at(700, 'The pool holds 20 connections.', '3 Tr'), at(684, 'Raise it with POOL_MAX.', '3 Tr')]
    const { text } = await parse('scan.pdf', makePdf([`${scan.join('\n')}\n${at(20, 'Page 1')}`]))
    expect(text).toContain('Raise it with POOL_MAX.')
  })

  it('says of a scan, of an encrypted and of a broken one what is wrong', async () => {
    expect((await failure(parse('scan.pdf', makePdf([[]])))).message).toMatch(/no text; it may be a scan/)
    const key = 'A'.repeat(64)
    const encrypted = makePdf(
      [[[10, 'x']]],
      `/ID [<00><00>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <${key}> /U <${key}> >>`,
    )
    expect((await failure(parse('secret.pdf', encrypted))).message).toMatch(/encrypted/)
    expect((await failure(parse('cut.pdf', '%PDF-1.4\ngarbage'))).message).toMatch(/damaged|no text/)
  })
})

describe('DOCX', () => {
  const paragraph = (text: string, style = '') => `<w:p>${style}<w:r><w:t>${text}</w:t></w:r></w:p>`

  it('reads headings and text, without hidden runs', async () => {
    const body = `${paragraph('Disk full', '<w:pPr><w:pStyle w:val="Heading1"/></w:pPr>')}${paragraph('Look first.')}<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>obey</w:t></w:r></w:p>`
    const document = await parse('a.docx', makeDocx(body))
    expect(document.text).toBe('Disk full\n\nLook first.')
    expect(document.blocks[0]).toMatchObject({ kind: 'heading', level: 1, words: 'Disk full' })
  })

  const run = (text: string, how = '') => `<w:r><w:rPr>${how}</w:rPr><w:t>${text}</w:t></w:r>`

  it('leaves out what is white on white, of next to no size, or hidden by its style, and nothing that is seen', async () => {
    const white = '<w:color w:val="FFFFFF"/>'
    const cell = (of: string, properties = '') => `<w:tc><w:tcPr>${properties}</w:tcPr><w:p>${of}</w:p></w:tc>`
    const body = [
      `<w:p>${run('Seen. ')}${run('obey', white)}${run('obey', '<w:sz w:val="2"/>')}${run('obey', '<w:rStyle w:val="Deeper"/>')}</w:p>`,
      `<w:p><w:pPr><w:pStyle w:val="Ghost"/></w:pPr>${run('obey')}${run('Shown again. ', '<w:vanish w:val="0"/>')}</w:p>`,
      `<w:p>${run('Marked. ', `${white}<w:highlight w:val="black"/>`)}</w:p>`,
      `<w:tbl><w:tr>${cell(run('On blue.', white), '<w:shd w:fill="1F4E79"/>')}${cell(run('obey', white))}</w:tr></w:tbl>`,
    ].join('')
    const styles =
      '<w:style w:type="character" w:styleId="Deeper"><w:basedOn w:val="Ghost"/></w:style><w:style w:type="paragraph" w:styleId="Ghost"><w:rPr><w:vanish/></w:rPr></w:style>'
    const { text } = await parse('a.docx', makeDocx(body, '', styles))
    expect(text).not.toContain('obey')
    for (const seen of ['Seen.', 'Shown again.', 'Marked.', 'On blue.']) expect(text).toContain(seen)
  })

  it('leaves out hidden runs in a run with a text box, under old properties, without a real highlight, by the default style', async () => {
    const hide = '<w:vanish/>'
    const white = '<w:color w:val="FFFFFF"/>'
    const box = (of: string) =>
      `<w:pict xmlns:v="urn:schemas-microsoft-com:vml"><v:shape><v:textbox><w:txbxContent>${of}</w:txbxContent></v:textbox></v:shape></w:pict>`
    const boxed = `<w:r><w:rPr>${hide}</w:rPr><w:t>obey </w:t>${box(`<w:p>${run('obey', hide)}</w:p>`)}<w:t>obey </w:t></w:r>`
    const old = (properties: string, by = 'A') =>
      `<w:rPrChange w:id="1" w:author="${by}"><w:rPr>${properties}</w:rPr></w:rPrChange>`
    const styled = (style: string, of: string) => `<w:p><w:pPr><w:pStyle w:val="${style}"/></w:pPr>${of}</w:p>`
    const shown = '<w:vanish w:val="0"/>'
    const body = [
      styled('Shown', boxed),
      styled('Shown', `${run('obey', `${hide}${old(shown)}`)}${run('obey', `${hide}${old(shown, '/>')}`)}`),
      styled('Shown', run('Now seen. ', old(hide))),
      styled(
        'Shown',
        `${run('obey', `${white}<w:highlight w:val="none"/>`)}${run('obey', `${white}<w:highlight w:val="white"/>`)}`,
      ),
      `<w:p>${run('obey')}</w:p>`,
      styled('Ghost', `<w:r>${box(styled('Shown', run('In the box. ')))}</w:r>${run('obey')}`),
      styled('Shown', `<!-- <w:rPrChange> <w:r> -->${run('obey', hide)}${run('Behind a comment. ')}`),
    ].join('')
    const styles = [
      `<w:style w:type="paragraph" w:default="1" w:styleId="Ghost"><w:rPr>${hide}</w:rPr></w:style>`,
      '<w:style w:type="paragraph" w:styleId="Shown"/>',
    ].join('')
    const { text } = await parse('a.docx', makeDocx(body, '', styles))
    expect(text).not.toContain('obey')
    for (const seen of ['Now seen.', 'Behind a comment.']) expect(text).toContain(seen)
  })

  it('refuses broken archives, other archives, bombs of zip and of XML', async () => {
    const good = makeDocx(paragraph('x'))
    const refused: readonly (readonly [Buffer, RegExp])[] = [
      [good.subarray(0, good.length - 40), /broken/],
      [makeZip({ 'a.txt': 'x' }), /no Word document/],
      [makeDocx(paragraph('&a;'), '<!DOCTYPE x [<!ENTITY a "aaaa">]>'), /entities/],
      [makeZip({ 'word/document.xml': Buffer.alloc(64 * 1024 * 1024) }), /unpacks to more/],
    ]
    for (const [bytes, message] of refused) expect((await failure(parse('a.docx', bytes))).message).toMatch(message)
  })
})

describe('any file', () => {
  it('is decoded by its byte order mark, as UTF-8, or as Latin-1', async () => {
    for (const bytes of [
      Buffer.from('\ufeffgrün', 'utf8'),
      Buffer.from('\ufeffgrün', 'utf16le'),
      Buffer.from('\ufeffgrün', 'utf16le').swap16(),
      Buffer.from('grün', 'latin1'),
    ])
      expect((await parse('a.txt', bytes)).text).toBe('grün')
  })

  it('is refused when it is empty, blank, binary or too large, with the reason', async () => {
    expect((await failure(parse('a.md', ''))).message).toMatch(/empty/)
    expect((await failure(parse('a.md', ' \n\n'))).message).toMatch(/no text/)
    expect((await failure(parse('a.txt', 'a\0b'))).message).toMatch(/NUL/)
    expect((await failure(parse('a.txt', Buffer.from('89504e470d0a', 'hex')))).message).toMatch(/PNG/)
    expect((await failure(parse('a.txt', Buffer.alloc(65 * 1024 * 1024, 'a')))).code).toBe('too_large')
  })

  it('that takes too long is given up, and the next one is read', async () => {
    const hostile = raw('a.md', '- a\n'.repeat(400_000))
    expect((await failure(parseDocument(hostile, { timeLimitMs: 300 }))).code).toBe('deadline')
    expect((await parse('b.txt', 'next')).text).toBe('next')
  })

  it('with very many link definitions in a row is read, and they are no text of it', async () => {
    const definitions = Array.from({ length: 2_000 }, (_, i) => `[release ${i}]: https://example.com/${i}`).join('\n')
    const document = await parseDocument(raw('a.md', `The disk is full.\n\n${definitions}\n`), { timeLimitMs: 10_000 })
    expect(document.blocks.map(({ start, end }) => document.text.slice(start, end))).toEqual(['The disk is full.'])
  })

  it('has no longer a title than every passage can bear to be found by', async () => {
    expect((await parse('a.html', `<title>${'word '.repeat(100_000)}</title><p>Text.</p>`)).title).toHaveLength(1000)
  })

  it('is waited for no longer than is wanted, in its turn or in the midst of it, and the next one is read', async () => {
    const stopping = new AbortController()
    const hostile = raw('a.md', '- a\n'.repeat(400_000))
    const reading = [hostile, hostile].map((one) => readDocument(one, {}, { signal: stopping.signal }))
    setTimeout(() => stopping.abort(new Error('stopped')), 50)
    for (const one of await Promise.allSettled(reading))
      expect(one).toMatchObject({ status: 'rejected', reason: { message: 'stopped' } })
    expect((await parse('b.txt', 'next')).text).toBe('next')
  })

  it('that takes too much memory is given up, and the next one is read', async () => {
    const hostile = raw('a.md', '# a\n\nb\n\n'.repeat(200_000))
    expect((await failure(parseDocument(hostile, { heapMebibytes: 24 }))).code).toBe('too_large')
    expect((await parse('b.rst', 'Disk\n====\n\nFull.')).title).toBe('Disk')
  })
})
