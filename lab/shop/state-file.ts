// A small file in the scratch folder, which is kept over a crash: a broken one keeps the process from starting.
import { readFileSync, writeFileSync } from 'node:fs'
import { z } from 'zod'

const state = z.object({ starts: z.number().int() })

/** Throws when the file is there and broken. */
export function countStart(file: string): void {
  let before = 0
  let text: string | undefined
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    // The first start in this folder.
  }
  if (text !== undefined) {
    try {
      before = state.parse(JSON.parse(text)).starts
    } catch (error) {
      throw new Error(`state file ${file} is corrupt: ${error instanceof Error ? error.message : ''}`, { cause: error })
    }
  }
  writeFileSync(file, JSON.stringify({ starts: before + 1 }))
}
