// The first view must come quickly on a slow phone: the build prints its weight and fails above the budget.
import { gzipSync } from 'node:zlib'
import type { Plugin, Rollup } from 'vite'

/** Counts the script that the shell loads at once, compressed; what is loaded later does not count. */
export function firstViewBudget(limitKb: number): Plugin {
  return {
    name: 'first-view-budget',
    apply: 'build',
    generateBundle(_options, bundle) {
      const chunks = new Map(
        Object.values(bundle)
          .filter((item): item is Rollup.OutputChunk => item.type === 'chunk')
          .map((chunk) => [chunk.fileName, chunk]),
      )
      const first = new Set<string>()
      const add = (name: string): void => {
        if (first.has(name)) return
        first.add(name)
        chunks.get(name)?.imports.forEach(add)
      }
      for (const chunk of chunks.values()) if (chunk.isEntry) add(chunk.fileName)
      const sizeKb = [...first].reduce((sum, name) => sum + gzipSync(chunks.get(name)?.code ?? '').length, 0) / 1000
      const line = `The first view loads ${sizeKb.toFixed(1)} KB of compressed script (budget ${limitKb} KB).`
      if (sizeKb > limitKb) this.error(line)
      this.info(line)
    },
  }
}
