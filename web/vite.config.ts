import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** Where `npm run dev` serves Rally: the page's own dev server passes everything but the page on to it. */
const server = 'http://localhost:3001'
// The server refuses sockets of a foreign origin, which the dev server's would be.
const proxied = { target: server, headers: { origin: server } }

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  plugins: [react()],
  build: { outDir: 'dist', emptyOutDir: true, target: 'es2022', sourcemap: true },
  server: {
    host: 'localhost',
    proxy: {
      '/ws': { ...proxied, ws: true },
      '/session': proxied,
      '/rpc': proxied,
    },
  },
})
