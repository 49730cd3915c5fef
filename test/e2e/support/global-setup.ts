import { existsSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { ARTIFACTS } from './artifacts.ts'
import { findChromium } from './chromium.ts'

const PAGE = fileURLToPath(new URL('../../../web/dist/index.html', import.meta.url))

/** Says at once what is missing, before anything is started. */
export async function setup(): Promise<void> {
  findChromium()
  if (!existsSync(PAGE)) throw new Error('The page is not built: npm run e2e builds it first')
  await rm(ARTIFACTS, { recursive: true, force: true })
  await mkdir(ARTIFACTS, { recursive: true })
}
