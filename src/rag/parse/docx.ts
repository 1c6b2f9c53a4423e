// Word documents: unpacked with bounds, made into HTML by mammoth, and read as that. Only the parts that hold text are
// handed on: no images, no linked files, and no XML that defines entities.
import mammoth from 'mammoth'
import { crc32 } from 'node:zlib'
import { AppError } from '../../core/errors.ts'
import { hiddenStylesIn, withoutHiddenRuns } from './hidden-in-docx.ts'
import { parseHtml } from './html.ts'
import type { Parsed } from './parsed.ts'
import { unzip } from './zip.ts'

const PARTS =
  /^(?:\[Content_Types\]\.xml|_rels\/\.rels|word\/(?:_rels\/)?(?:document|styles|numbering|footnotes|endnotes|comments)\d?\.xml(?:\.rels)?)$/
const TEXTS = /^word\/(?:document|footnotes|endnotes|comments)\d?\.xml$/
/** Of XML; a thousand pages are about 10 MiB. */
const MOST_BYTES = 48 * 1024 * 1024

export async function parseDocx(bytes: Uint8Array): Promise<Parsed> {
  const parts = unzip(bytes, (name) => PARTS.test(name), MOST_BYTES)
  if (![...parts.keys()].some((name) => /^word\/document\d?\.xml$/.test(name))) {
    throw new AppError('malformed', 'It is a zip archive but no Word document. Save it as DOCX again.')
  }
  const styles = hiddenStylesIn(parts.get('word/styles.xml')?.toString('utf8') ?? '')
  for (const [name, part] of parts) {
    if (part.includes('<!DOCTYPE') || part.includes('<!ENTITY')) {
      throw new AppError('malformed', 'Its XML defines entities, which no Word document does. Save it again.')
    }
    if (TEXTS.test(name)) parts.set(name, Buffer.from(withoutHiddenRuns(part.toString('utf8'), styles)))
  }
  const { value } = await mammoth.convertToHtml(
    { buffer: zipStored(parts) },
    { includeEmbeddedStyleMap: false, externalFileAccess: false },
  )
  const { text, blocks, title } = parseHtml(`<body>${value}`)
  if (blocks.length === 0) throw new AppError('malformed', 'There is no text in it; it may hold only images.')
  return { text, blocks, title }
}

/** A zip archive of these parts, not compressed. */
function zipStored(parts: ReadonlyMap<string, Buffer>): Buffer {
  const files: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [name, part] of parts) {
    const encoded = Buffer.from(name)
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt32LE(crc32(part), 10)
    common.writeUInt32LE(part.length, 14)
    common.writeUInt32LE(part.length, 18)
    common.writeUInt16LE(encoded.length, 22)
    files.push(Buffer.from('PK\u0003\u0004', 'latin1'), common, encoded, part)
    const place = Buffer.alloc(14)
    place.writeUInt32LE(offset, 10)
    directory.push(Buffer.from('PK\u0001\u0002\u0014\u0000', 'latin1'), common, place, encoded)
    offset += 30 + encoded.length + part.length
  }
  const end = Buffer.alloc(22)
  end.write('PK\u0005\u0006', 'latin1')
  end.writeUInt16LE(parts.size, 8)
  end.writeUInt16LE(parts.size, 10)
  end.writeUInt32LE(
    directory.reduce((sum, part) => sum + part.length, 0),
    12,
  )
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...files, ...directory, end])
}
