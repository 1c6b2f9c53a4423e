import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { firstViewBudget } from './budget.ts'

export default defineConfig({
  plugins: [react(), firstViewBudget(200)],
  // The page's policy forbids inline scripts and styles: nothing may be folded into the shell.
  build: { outDir: 'dist', emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
})
