import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../..', import.meta.url))
const start = promisify(execFile)

/** Runs a program in `cwd`, and gives what it printed. Rejects with all of it when the program fails. */
export async function run(cwd: string, program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { NODE_OPTIONS: _, VITEST: __, TEST_REPORTS: ___, ...own } = process.env
  const options = { cwd, env: { ...own, ...env }, maxBuffer: 64 * 1024 * 1024 }
  return start(program, args, options).then(
    ({ stdout }) => stdout,
    (error: { stdout?: string; stderr?: string }) => {
      throw new Error(`${program} ${args.join(' ')}\n${error.stdout ?? ''}${error.stderr ?? ''}`)
    },
  )
}

/** A copy of the repository as it is in the work tree, to change and to build in. */
export class RepositoryCopy {
  readonly folder = mkdtempSync(join(tmpdir(), 'rally-copy-'))

  static async make(): Promise<RepositoryCopy> {
    const copy = new RepositoryCopy()
    const files = await run(root, 'git', [
      'ls-files',
      '-z',
      '--cached',
      '--others',
      '--exclude-standard',
      '--deduplicate',
    ])
    const deleted = new Set((await run(root, 'git', ['ls-files', '-z', '--deleted'])).split('\0'))
    for (const file of files.split('\0')) {
      if (file === '' || deleted.has(file)) continue
      mkdirSync(dirname(join(copy.folder, file)), { recursive: true })
      cpSync(join(root, file), join(copy.folder, file))
    }
    await run(copy.folder, 'git', ['init', '--quiet'])
    await run(copy.folder, 'git', ['add', '--all'])
    // The line of .gitignore is about a folder, and this is a link.
    copy.write('.git/info/exclude', 'node_modules\n')
    symlinkSync(join(root, 'node_modules'), join(copy.folder, 'node_modules'))
    return copy
  }

  read(file: string): string {
    return readFileSync(join(this.folder, file), 'utf8')
  }

  write(file: string, text: string): void {
    mkdirSync(dirname(join(this.folder, file)), { recursive: true })
    writeFileSync(join(this.folder, file), text)
  }

  change(file: string, to: (text: string) => string): void {
    this.write(file, to(this.read(file)))
  }

  run(program: string, ...args: readonly string[]): Promise<string> {
    return run(this.folder, program, args)
  }

  /** The files that differ from the repository's, or are new. */
  async changed(): Promise<string[]> {
    const changed = await this.run('git', 'diff', '--name-only')
    const added = await this.run('git', 'ls-files', '--others', '--exclude-standard')
    return `${changed}${added}`.split('\n').filter(Boolean).toSorted()
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** The blocks of a page that begin with a line that names their file (a comment, or `+++` in a diff), by that name. */
export function examplesOf(page: string): ReadonlyMap<string, string> {
  const text = readFileSync(join(root, page), 'utf8')
  const blocks = text.matchAll(
    /^```(?:tsx?|prisma|sql|html|diff)\n(?:\/\/|--|<!--|\+\+\+) (\S+\.\w+)(?: -->)?\n(.*?)^```$/gms,
  )
  return new Map([...blocks].map(([, file = '', source = '']) => [file, source]))
}
