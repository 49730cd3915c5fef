import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path/posix'
import { parseSync, Visitor } from 'vite'

/** What the files of an area may import from other areas. They may always import from their own. */
interface Rule {
  /** A file, or a folder if it ends in a slash; `*` stands for one name. The first rule that fits a file counts. */
  readonly area: string
  readonly values?: readonly string[]
  /** With `import type` only, which does not exist at run time. */
  readonly types?: readonly string[]
}

/** What all modules may import, beside each other's `index.ts` and `types.ts`. */
const shared = [
  'src/modules/define.ts',
  'src/modules/leave-all.ts',
  'src/modules/pages.ts',
  'src/modules/periodic-jobs.ts',
  'src/modules/platform.ts',
  'src/modules/scope.ts',
  'src/modules/usernames.ts',
  'src/modules/wire.ts',
]
const outside = [
  'src/protocol/',
  'src/rpc/index.ts',
  'src/engine/index.ts',
  // No game: games come with the platform.
  ...['game', 'hash', 'simulate'].map((name) => `src/games/${name}.ts`),
  'src/db/batched-lookup.ts',
  'src/db/retry.ts',
  'src/db/secret-encryption.ts',
  'src/db/sql.ts',
  'src/signed-token.ts',
  'src/histogram.ts',
]
const outsideTypes = ['src/db/', 'src/bus/bus.ts', 'src/bus/node-calls.ts', 'src/config.ts', 'src/logger.ts']

/** Which files may import which. A file without a rule may import nothing. */
export const rules: readonly Rule[] = [
  { area: 'src/protocol/' },
  { area: 'src/games/' },
  { area: 'src/bus/', values: ['src/deadline.ts'] },
  {
    area: 'src/db/',
    values: ['src/deadline.ts', 'src/histogram.ts'],
    types: ['src/rpc/write-once.ts', 'src/secrets.ts', 'src/logger.ts'],
  },
  { area: 'src/rpc/', values: ['src/protocol/', 'src/histogram.ts'], types: ['src/bus/bus.ts'] },
  {
    area: 'src/engine/',
    values: ['src/games/', 'src/bus/', 'src/db/retry.ts', 'src/db/sql.ts', 'src/histogram.ts'],
    types: ['src/db/'],
  },
  {
    area: 'src/server/',
    values: ['src/protocol/', 'src/rpc/index.ts', 'src/deadline.ts', 'src/signed-token.ts'],
    types: ['src/config.ts', 'src/logger.ts'],
  },
  {
    area: 'src/tracing/',
    values: ['src/deadline.ts'],
    types: [
      ...['src/bus/node-calls.ts', 'src/db/observed-statements.ts', 'src/rpc/index.ts', 'src/server/http.ts'],
      ...['src/tracing-settings.ts', 'src/logger.ts'],
    ],
  },
  { area: 'src/documents/', types: ['src/rpc/index.ts'] },
  { area: 'src/client/', values: ['src/protocol/', 'src/games/'] },

  { area: 'src/modules/wire.ts' },
  { area: 'src/modules/shown-text.ts' },
  {
    area: 'src/modules/*/types.ts',
    values: ['src/protocol/', 'src/modules/wire.ts', 'src/modules/shown-text.ts', 'src/modules/*/types.ts'],
  },
  {
    area: 'src/modules/index.ts',
    values: ['src/modules/*/index.ts'],
    types: ['src/rpc/index.ts', 'src/protocol/index.ts'],
  },
  { area: 'src/modules/*.ts', values: [...outside, ...shared], types: outsideTypes },
  {
    area: 'src/modules/*/',
    values: [...outside, ...shared, 'src/modules/*/index.ts', 'src/modules/*/types.ts'],
    types: outsideTypes,
  },

  {
    area: 'src/commands/',
    values: ['src/config.ts', 'src/db/', 'src/modules/auth/bans.ts', 'src/modules/usernames.ts'],
    types: ['src/environment.ts', 'src/logger.ts'],
  },

  {
    area: 'src/config.ts',
    values: [
      'src/limits-settings.ts',
      'src/matches-settings.ts',
      'src/rooms-settings.ts',
      'src/tracing-settings.ts',
      'src/protocol/',
      'src/environment.ts',
      'src/secrets.ts',
    ],
  },
  { area: 'src/environment.ts' },
  { area: 'src/secrets.ts', types: ['src/environment.ts'] },
  { area: 'src/client-errors.ts', values: ['src/bus/node-calls.ts', 'src/db/', 'src/rpc/index.ts'] },
  { area: 'src/limits-settings.ts', values: ['src/protocol/'], types: ['src/environment.ts'] },
  { area: 'src/matches-settings.ts', types: ['src/environment.ts'] },
  { area: 'src/rooms-settings.ts', types: ['src/environment.ts'] },
  { area: 'src/tracing-settings.ts', types: ['src/environment.ts'] },
  { area: 'src/closers.ts', values: ['src/deadline.ts'] },
  { area: 'src/deadline.ts' },
  { area: 'src/signed-token.ts' },
  { area: 'src/histogram.ts' },
  { area: 'src/logger.ts', values: ['src/log-redaction.ts', 'src/log-text.ts'] },
  { area: 'src/log-redaction.ts' },
  { area: 'src/log-text.ts' },
  {
    area: 'src/metrics.ts',
    values: ['src/metrics/', 'src/protocol/index.ts'],
    types: [
      'src/bus/bus.ts',
      'src/db/database.ts',
      'src/engine/index.ts',
      'src/modules/platform.ts',
      'src/rpc/index.ts',
      'src/server/server.ts',
    ],
  },
  {
    area: 'src/metrics/',
    values: ['src/histogram.ts'],
  },
  { area: 'src/app.ts', values: ['src/'] },
  { area: 'src/rally.ts', values: ['src/'] },
  { area: 'src/main.ts', values: ['src/rally.ts'] },

  {
    area: 'web/src/',
    values: ['src/client/', 'src/games/', 'src/modules/*/types.ts', 'src/modules/wire.ts'],
    types: ['src/modules/index.ts'],
  },
]

/** Which areas may import a package, its values or its types. A package that is not here may not be imported. */
export const packages: Readonly<Record<string, readonly string[]>> = {
  'uWebSockets.js': ['src/server/'],
  '@prisma/': ['src/db/'],
  pg: ['src/db/'],
  '@redis/': ['src/bus/'],
  cookie: ['src/server/'],
  otplib: ['src/modules/auth/'],
  '@simplewebauthn/': ['src/modules/auth/'],
  qrcode: ['src/modules/auth/'],
  pino: ['src/logger.ts'],
  'prom-client': ['src/metrics/'],
  '@opentelemetry/': ['src/tracing/'],
  react: ['web/src/'],
  'react-dom': ['web/src/'],
  zod: [
    'src/tracing/',
    'src/documents/',
    'src/protocol/',
    'src/games/',
    'src/rpc/',
    'src/engine/',
    'src/db/',
    'src/bus/',
    'src/modules/',
    'src/*.ts',
  ],
  // Not where a browser runs, and not in rpc/, which does no input or output.
  'node:': [
    'src/tracing/',
    'src/server/',
    'src/engine/',
    'src/db/',
    'src/bus/',
    'src/modules/*/',
    'src/client/node.ts',
    'src/metrics/',
    'src/commands/',
    'src/*.ts',
  ],
}

/** Files that a browser runs, in folders where other files may use Node. */
const browserSafe = ['src/modules/*/types.ts', 'src/modules/wire.ts', 'src/modules/shown-text.ts']

export interface Violation {
  /** From the root of the repository, with slashes. */
  readonly file: string
  readonly line: number
  readonly message: string
}

/** All source files of the server and the page, as paths from `root` with slashes. */
export function sources(root: string): string[] {
  return ['src', 'web/src'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
      .filter((file) => /\.(ts|tsx)$/.test(file) && !file.startsWith('src/db/generated/')),
  )
}

/** Checks one file against the rules. `file` is its path from the root of the repository, with slashes. */
export function checkImports(file: string, source: string): Violation[] {
  const rule = rules.find(({ area }) => covers(area, file))
  const found = importsOf(file, source).flatMap(({ specifier, isType, at }) => {
    const problem =
      specifier === null ? 'the path of an import has to be a plain string' : judge(file, rule, specifier, isType)
    return problem === undefined ? [] : [{ file, line: source.slice(0, at).split('\n').length, message: problem }]
  })
  if (rule) return found
  return [{ file, line: 1, message: 'no rule in scripts/import-rules.ts says what this file may import' }]
}

/**
 * Files that import each other in a circle, and folders that do: `[a, b, c]` where a imports b, b imports c and c imports
 * a. Imports of types count. `files` are sources by their path from the root. Where circles share a file, one is told.
 */
export function importCycles(files: ReadonlyMap<string, string>): string[][] {
  const ofFiles: Graph = new Map()
  const ofFolders: Graph = new Map()
  for (const [file, source] of files) {
    const targets = importsOf(file, source)
      .flatMap(({ specifier }) => (specifier?.startsWith('.') ? [join(dirname(file), specifier)] : []))
      .filter((target) => files.has(target))
    ofFiles.set(file, new Set(targets))
    const folder = folderOf(file)
    const folders = ofFolders.get(folder) ?? new Set()
    for (const target of targets) if (folderOf(target) !== folder) folders.add(folderOf(target))
    ofFolders.set(folder, folders)
  }
  return [...circlesIn(ofFiles), ...circlesIn(ofFolders)]
}

type Graph = Map<string, Set<string>>

/** The layer or module of a file; the file itself if it is in none. */
function folderOf(file: string): string {
  return /^(web\/src|src\/modules\/[^/]+|src\/[^/]+)/.exec(file)?.[0] ?? file
}

function circlesIn(graph: Graph): string[][] {
  const found: string[][] = []
  const seen = new Set<string>()
  for (const start of [...graph.keys()].sort()) {
    const circle = seen.has(start) ? undefined : shortestCircle(start, graph)
    if (!circle) continue
    for (const member of circle) seen.add(member)
    found.push(circle)
  }
  return found
}

/** The shortest way from `start` back to itself. */
function shortestCircle(start: string, graph: Graph): string[] | undefined {
  const cameFrom = new Map<string, string>()
  const queue = [start]
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    for (const target of graph.get(file) ?? []) {
      if (target === start) {
        const circle = [file]
        for (let at = file; at !== start; ) {
          at = cameFrom.get(at) ?? start
          circle.unshift(at)
        }
        return circle
      }
      if (cameFrom.has(target)) continue
      cameFrom.set(target, file)
      queue.push(target)
    }
  }
  return undefined
}

function judge(file: string, rule: Rule | undefined, specifier: string, isType: boolean): string | undefined {
  if (!specifier.startsWith('.')) return judgePackage(file, specifier)
  const target = join(dirname(file), specifier)
  // Style sheets, images and generated files belong to the importer.
  const own = rule && ownFolder(rule.area, file)
  const isOwn = own !== undefined && target.startsWith(own)
  if (isOwn || rule?.values?.some((area) => covers(area, target))) return undefined
  if (!rule?.types?.some((area) => covers(area, target))) return `may not import ${target}`
  return isType ? undefined : `may import ${target} with \`import type\` alone`
}

function judgePackage(file: string, specifier: string): string | undefined {
  const name = Object.keys(packages).find((key) =>
    /[/:]$/.test(key) ? specifier.startsWith(key) : specifier === key || specifier.startsWith(`${key}/`),
  )
  const isOpen = name !== undefined && packages[name]?.some((area) => covers(area, file))
  if (isOpen && !(name === 'node:' && browserSafe.some((area) => covers(area, file)))) return undefined
  return `may not import the package ${specifier}`
}

/** The folder of an area that a file is in, with `*` filled in; undefined for an area that is a file. */
function ownFolder(area: string, file: string): string | undefined {
  if (!area.endsWith('/')) return undefined
  return `${file.split('/', area.split('/').length - 1).join('/')}/`
}

function covers(area: string, file: string): boolean {
  const pattern = area.replaceAll('.', '\\.').replaceAll('*', '[^/]+')
  return new RegExp(area.endsWith('/') ? `^${pattern}` : `^${pattern}$`).test(file)
}

interface Import {
  /** Null when it is only known at run time. */
  readonly specifier: string | null
  readonly isType: boolean
  readonly at: number
}

/**
 * All imports of a source, and its exports from other files. `import { type T }` counts as a value: with
 * `verbatimModuleSyntax` the compiler turns it into `import {}`, which loads the module.
 */
function importsOf(file: string, source: string): Import[] {
  const { program, errors } = parseSync(file, source)
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`)
  const found: Import[] = []
  const add = (at: number, specifier: string | null, isType: boolean) => found.push({ specifier, isType, at })
  new Visitor({
    ImportDeclaration: ({ start, source, importKind }) => add(start, source.value, importKind === 'type'),
    ExportAllDeclaration: ({ start, source, exportKind }) => add(start, source.value, exportKind === 'type'),
    ExportNamedDeclaration: ({ start, source, exportKind }) => {
      if (source) add(start, source.value, exportKind === 'type')
    },
    ImportExpression: ({ start, source }) => {
      add(start, source.type === 'Literal' && typeof source.value === 'string' ? source.value : null, false)
    },
    TSImportType: ({ start, source }) => add(start, source.value, true),
    TSExternalModuleReference: ({ start, expression }) => add(start, expression.value, false),
  }).visit(program)
  return found
}
