// Servers that some tests need and no package brings: used when they are on the PATH. Without one the test is skipped
// and says so; with REQUIRE_SERVICES=1 that is a failure, so that CI cannot skip in silence.
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The path of a program, or undefined after having said loudly that what needs it is skipped. */
export function requireService(name: string): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // Not in this folder.
    }
  }
  return absent(`${name} is not on the PATH`)
}

/** Says loudly that what needs something is skipped, for what is looked for elsewhere. */
export function absent(what: string): undefined {
  if (process.env['REQUIRE_SERVICES'] === '1')
    throw new Error(`${what}, and REQUIRE_SERVICES=1 does not let a test be skipped.`)
  console.warn(`SKIPPED: ${what}. Install it to run what needs it.`)
  return undefined
}
