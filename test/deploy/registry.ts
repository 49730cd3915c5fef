import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../src/db/embedded/free-port.ts'

/** A registry for images on this machine. */
export interface Registry {
  /** What `REGISTRY` has to be. */
  readonly address: string
  /** The versions of Rally that it has. */
  versions(): Promise<readonly string[]>
  stop(): Promise<void>
}

export async function startRegistry(): Promise<Registry> {
  const dir = await mkdtemp(join(tmpdir(), 'rally-registry-'))
  const address = `localhost:${await freePort()}`
  const config = join(dir, 'config.yml')
  const storage = { filesystem: { rootdirectory: dir } }
  // JSON is YAML.
  await writeFile(
    config,
    JSON.stringify({
      version: 0.1,
      log: { level: 'error', accesslog: { disabled: true } },
      storage,
      http: { addr: address },
    }),
  )
  const child = spawn('docker-registry', ['serve', config], { stdio: 'ignore' })
  for (let tries = 0; !(await answers(`http://${address}/v2/`)); tries++) {
    if (tries > 100 || child.exitCode !== null) throw new Error('docker-registry does not answer')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return {
    address,
    async versions() {
      const { tags }: { tags?: string[] | null } = await (await fetch(`http://${address}/v2/rally/tags/list`)).json()
      return tags ?? []
    },
    async stop() {
      if (child.exitCode === null) {
        child.kill()
        await once(child, 'exit')
      }
      await rm(dir, { recursive: true, force: true })
    },
  }
}

function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  )
}
