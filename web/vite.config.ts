import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { precompress } from './precompress.ts'

/** Where `npm run dev` serves Rally: the page's own dev server passes everything but the page on to it. */
const server = 'http://localhost:3001'
// The server refuses sockets of a foreign origin, which the dev server's would be.
const proxied = { target: server, headers: { origin: server } }

const inside = (name: string) => fileURLToPath(new URL(name, import.meta.url))

export default defineConfig({
  root: inside('.'),
  plugins: [react(), precompress()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    sourcemap: true,
    rolldownOptions: { input: ['index.html', '404.html'].map((name) => inside(name)) },
  },
  server: {
    host: 'localhost',
    proxy: {
      '/ws': { ...proxied, ws: true },
      '/session': proxied,
      '/rpc': proxied,
      '/openapi.json': proxied,
      '/asyncapi.json': proxied,
    },
  },
})
