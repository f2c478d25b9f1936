import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// `npm run dev -w console` shows a running app: the film shop on its usual port, or MILLRACE_URL (dev/main.ts prints one).
const app = process.env['MILLRACE_URL'] ?? 'http://127.0.0.1:4400'

export default defineConfig({
  root: import.meta.dirname,
  base: '/_/',
  plugins: [react(), tailwindcss()],
  build: {
    outDir: '../dist/console',
    emptyOutDir: true,
    target: 'es2023',
    chunkSizeWarningLimit: 600,
  },
  server: { proxy: { '/_/api': app } },
})
