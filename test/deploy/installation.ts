import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freePort } from '../../src/db/embedded/free-port.ts'

const run = promisify(execFile)
const repository = fileURLToPath(new URL('../..', import.meta.url))

export interface Made {
  readonly code: number
  readonly output: string
}

/** The part of `docker inspect` that the tests read. */
export interface Container {
  readonly Id: string
  readonly Config: { readonly User: string; readonly Labels: Readonly<Record<string, string>> }
  readonly HostConfig: {
    readonly CapDrop: readonly string[] | null
    readonly Memory: number
    readonly PidsLimit: number
    readonly ReadonlyRootfs: boolean
    readonly SecurityOpt: readonly string[] | null
  }
  readonly NetworkSettings: { readonly Ports: Readonly<Record<string, readonly unknown[] | null>> }
  readonly State: { readonly ExitCode: number; readonly Status: string; readonly Health?: { readonly Status: string } }
}

/** A fresh clone of the last commit, whose containers, volumes and images nobody else uses. */
export class Installation {
  readonly dir: string
  readonly url: string
  readonly registry: string
  readonly #project: string
  readonly #env: NodeJS.ProcessEnv

  private constructor(dir: string, port: number, registry: string) {
    this.dir = dir
    this.url = `http://127.0.0.1:${port}`
    this.registry = registry
    this.#project = `rally-test-${process.pid}`
    const { PATH, HOME } = process.env
    this.#env = { PATH, HOME, PORT: String(port), REGISTRY: registry, COMPOSE_PROJECT_NAME: this.#project }
  }

  static async clone(registry: string): Promise<Installation> {
    const dir = join(await mkdtemp(join(tmpdir(), 'rally-deploy-')), 'rally')
    await run('git', ['clone', '--quiet', repository, dir])
    // As a user with umask 077 clones it, who is not the one that the containers run as.
    await run('chmod', ['-R', 'go=', join(dir, 'deploy')])
    if (process.getuid?.() === 0) await run('chown', ['-R', '1000', join(dir, 'deploy')])
    return new Installation(dir, await freePort(), registry)
  }

  /** Runs a command of the Makefile, such as `make('deploy', { V: '1.2.3' })`, and prints what it prints. */
  async make(target: string, variables: Readonly<Record<string, string>> = {}): Promise<Made> {
    const { child, output } = this.start(target, variables)
    const [code] = await once(child, 'close')
    return { code: code ?? 1, output: output() }
  }

  /** The same, without waiting. The process leads a group of its own, as in a terminal. */
  start(target: string, variables: Readonly<Record<string, string>> = {}): { child: ChildProcess; output(): string } {
    const given = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
    process.stdout.write(`\n$ make ${[target, ...given].join(' ')}\n`)
    const child = spawn('make', ['--no-print-directory', target, ...given], {
      cwd: this.dir,
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (bytes: Buffer) => {
        output += bytes.toString()
        process.stdout.write(bytes)
      })
    }
    return { child, output: () => output }
  }

  read(file: string): Promise<string> {
    return readFile(join(this.dir, file), 'utf8')
  }

  async append(file: string, text: string): Promise<void> {
    await writeFile(join(this.dir, file), text, { flag: 'a' })
  }

  /** Makes a file what it is in the last commit. */
  async checkout(file: string): Promise<void> {
    await run('git', ['checkout', '--quiet', file], { cwd: this.dir })
  }

  async backups(): Promise<string[]> {
    return (await readdir(join(this.dir, 'backups'))).map((name) => `backups/${name}`)
  }

  /** Writes all but the last bytes of a backup beside it. */
  async cut(backup: string): Promise<string> {
    const whole = await readFile(join(this.dir, backup))
    await writeFile(join(this.dir, `${backup}.cut`), whole.subarray(0, whole.length * 0.95))
    return `${backup}.cut`
  }

  /** Begins a statement on a connection of its own. */
  async query(sql: string): Promise<void> {
    const postgres = (await this.containers()).get('postgres')?.Id ?? ''
    const psql = 'PGPASSWORD=$POSTGRES_PASSWORD exec psql -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "$0"'
    await run('docker', ['exec', '-d', postgres, 'sh', '-c', psql, sql])
  }

  /** The containers by the names of their services. */
  async containers(): Promise<Map<string, Container>> {
    const filter = `label=com.docker.compose.project=${this.#project}`
    const ids = (await run('docker', ['ps', '-aq', '--filter', filter])).stdout.split('\n').filter(Boolean)
    if (ids.length === 0) return new Map()
    const containers: Container[] = JSON.parse((await run('docker', ['inspect', ...ids])).stdout)
    return new Map(containers.map((each) => [each.Config.Labels['com.docker.compose.service'] ?? '', each]))
  }

  async logs(service: string): Promise<string> {
    const container = (await this.containers()).get(service)
    if (!container) throw new Error(`there is no container of ${service}`)
    return (await run('docker', ['logs', container.Id])).stdout
  }

  async remove(): Promise<void> {
    await this.make('clean', { YES: '1' })
    const names = ['--format', '{{.Repository}}:{{.Tag}}', '--filter', `reference=${this.registry}/*`]
    const images = (await run('docker', ['images', ...names])).stdout.split('\n').filter(Boolean)
    if (images.length > 0) await run('docker', ['rmi', '--force', ...images])
    await rm(join(this.dir, '..'), { recursive: true, force: true })
  }
}
