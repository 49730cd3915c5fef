import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { connect } from '../support/client.ts'
import { type Scrape, scrape } from '../support/scrape.ts'
import { startRally } from '../support/server.ts'

const root = new URL('../../', import.meta.url)
const read = (file: string) => readFileSync(new URL(file, root), 'utf8')
const RULES = 'deploy/prometheus/alert-rules.yml'
const TESTS = 'test/metrics/alert-rules.test.yml'
const CONFIG = 'deploy/prometheus/prometheus.yml'
const DASHBOARD = 'deploy/grafana/dashboards/rally.json'

const Rule = z.strictObject({
  alert: z.string().regex(/^Rally[A-Za-z]+$/),
  expr: z.string(),
  for: z
    .string()
    .regex(/^\d+[smh]$/)
    .optional(),
  labels: z.strictObject({ severity: z.enum(['critical', 'warning']) }),
  annotations: z.strictObject({ summary: z.string(), why: z.string(), what_to_do: z.string() }),
})
const Rules = z.strictObject({ groups: z.array(z.strictObject({ name: z.string(), rules: z.array(Rule) })) })
const Source = z.object({ type: z.literal('prometheus'), uid: z.string() })
const Target = z.object({ expr: z.string(), legendFormat: z.string(), datasource: Source })
const Panel = z.discriminatedUnion('type', [
  z.object({ type: z.literal('row'), id: z.number(), title: z.string() }),
  z.object({
    type: z.enum(['stat', 'timeseries']),
    id: z.number(),
    title: z.string(),
    targets: z.array(Target).min(1),
  }),
])
const Variable = z.object({ datasource: Source, query: z.object({ query: z.string() }) })
const Dashboard = z.object({
  uid: z.string(),
  title: z.string(),
  panels: z.array(Panel),
  templating: z.object({ list: z.array(Variable) }),
  annotations: z.object({ list: z.array(z.object({ expr: z.string() })) }),
})

const rules = Rules.parse(parse(read(RULES))).groups.flatMap((group) => group.rules)
const dashboard = Dashboard.parse(JSON.parse(read(DASHBOARD)))
const targets = dashboard.panels.flatMap((panel) => (panel.type === 'row' ? [] : panel.targets))

/** Prometheus adds these to every metric of a target. */
const TARGET_LABELS = ['job', 'instance']
/** Metrics that Prometheus makes of each scrape. */
const OF_PROMETHEUS = ['up']
const METRIC = /\b(?:rally|process|nodejs)_[a-z_]+|\bup\b/g
const SELECTOR = /([a-z_]+)\{([^}]*)\}/g
const GROUPING = /\b(?:by|on|without) ?\(([^)]*)\)/g

/** What an expression asks for that no node shows. */
function missing(expr: string, { text, names }: Scrape): string[] {
  const metrics = [...new Set(expr.match(METRIC))].map((name) => ({ name, shown: shownAs(name, names) }))
  const labels = new Set(TARGET_LABELS)
  for (const { shown } of metrics) for (const label of shown ? labelsOf(shown, text) : []) labels.add(label)
  const selected = [...expr.matchAll(SELECTOR)].flatMap(([, metric = '', pairs = '']) => {
    const shown = shownAs(metric, names)
    const own = shown ? labelsOf(shown, text) : []
    const named = Array.from(pairs.matchAll(/(\w+) ?[=!]~?/g), ([, label = '']) => label)
    return named.filter((label) => ![...own, ...TARGET_LABELS].includes(label)).map((label) => `${metric}{${label}}`)
  })
  const grouped = [...expr.matchAll(GROUPING)].flatMap(([, list = '']) =>
    list.split(',').flatMap((label) => (label.trim() === '' || labels.has(label.trim()) ? [] : [`by ${label.trim()}`])),
  )
  return [...metrics.flatMap(({ name, shown }) => (shown ? [] : [name])), ...selected, ...grouped]
}

function shownAs(name: string, names: ReadonlySet<string>): string | undefined {
  if (names.has(name) || OF_PROMETHEUS.includes(name)) return name
  const histogram = name.replace(/_(bucket|sum|count)$/, '')
  return names.has(histogram) ? histogram : undefined
}

function labelsOf(name: string, text: string): string[] {
  const lines = text.match(new RegExp(`^${name}(?:_bucket)?\\{.*`, 'gm')) ?? []
  return lines.flatMap((line) => Array.from(line.matchAll(/[{,](\w+)="/g), ([, label = '']) => label))
}

describe('what the dashboard and the alerts ask for', () => {
  test('exists in the metrics of a node', async () => {
    await using rally = await startRally({ config: { adminPort: 0 } })
    await using client = await connect(rally.url)
    await client.call('rpc.ping')
    const seen = await scrape(rally.app.adminUrl)
    const shown = [...rules, ...targets, ...dashboard.annotations.list]
    const asked = [...shown.map(({ expr }) => expr), ...dashboard.templating.list.map(({ query }) => query.query)]
    expect(asked.length).toBeGreaterThan(60)
    expect(asked.flatMap((expr) => missing(expr, seen).map((name) => `${name} in ${expr}`))).toEqual([])
    for (const { legendFormat, expr } of targets) {
      for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
        expect(missing(`sum by (${label}) (${expr})`, seen)).toEqual([])
      }
    }
  })

  test('would be noticed if it did not', async () => {
    const text = '# TYPE rally_a_total counter\nrally_a_total{kind="x"} 1\n'
    const seen: Scrape = { text, names: new Set(['rally_a_total']), value: () => 1 }
    expect(missing('rate(rally_a_total{kind="x", job="rally"}[5m])', seen)).toEqual([])
    expect(missing('sum by (other) (rally_a_total{missing=~"x"}) / rally_b', seen)).toEqual([
      'rally_b',
      'rally_a_total{missing}',
      'by other',
    ])
  })
})

test('every metric that docs/operations.md names exists', async () => {
  await using rally = await startRally({ config: { adminPort: 0 } })
  await using client = await connect(rally.url)
  await client.call('rpc.ping')
  const { names } = await scrape(rally.app.adminUrl)
  const named = read('docs/operations.md').match(/\b(?:rally|process|nodejs)_[a-z_]+/g) ?? []
  expect(named.length).toBeGreaterThan(5)
  expect(named.filter((name) => !names.has(name))).toEqual([])
})

describe('the alert rules', () => {
  test('have each a name of their own, and a section in docs/operations.md that says what to do', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length)
    const sections = Array.from(read('docs/operations.md').matchAll(/^### (Rally\w+)$/gm), ([, name = '']) => name)
    expect(sections.toSorted()).toEqual(rules.map(({ alert }) => alert).toSorted())
    for (const { alert, annotations } of rules) {
      expect(annotations.what_to_do).toBe(`docs/operations.md#${alert.toLowerCase()}`)
    }
  })

  describe('by promtool', () => {
    const isInstalled = spawnSync('promtool', ['--version']).status === 0
    beforeEach(({ skip }) => skip(!isInstalled, 'promtool is not installed'))
    const promtool = (command: string, file: string) => {
      const path = fileURLToPath(new URL(file, root))
      const { status, stdout, stderr } = spawnSync('promtool', [...command.split(' '), path], { encoding: 'utf8' })
      return [status, stdout + stderr]
    }

    test('are accepted, with the configuration', () => {
      expect(promtool('check config', CONFIG)).toEqual([0, expect.stringContaining(`${rules.length} rules found`)])
    })

    test('fire when they should, and not in a healthy installation', { timeout: 60_000 }, () => {
      expect(promtool('test rules', TESTS)).toEqual([0, expect.stringContaining('SUCCESS')])
    })
  })

  test('have each a state in which they are tested to fire', () => {
    const tested = read(TESTS)
    expect(rules.filter(({ alert }) => !tested.includes(alert))).toEqual([])
  })
})

describe('the configuration of Prometheus', () => {
  const Config = z.object({
    rule_files: z.array(z.string()),
    scrape_configs: z.array(
      z.object({ job_name: z.string(), static_configs: z.array(z.object({ targets: z.array(z.string()) })) }),
    ),
  })
  const Compose = z.object({
    'x-environment': z.object({ ADMIN_PORT: z.number() }),
    services: z.record(z.string(), z.object({ image: z.string() })),
  })

  test('names the rules, and each service of Compose that is a node, at its admin port', () => {
    const config = Config.parse(parse(read(CONFIG)))
    expect(config.rule_files).toEqual(['alert-rules.yml'])
    const compose = Compose.parse(parse(read('docker-compose.yml'), { merge: true }))
    const { ADMIN_PORT } = compose['x-environment']
    const nodes = Object.entries(compose.services).flatMap(([name, { image }]) =>
      /(^|\/)rally:/.test(image) ? [`${name}:${ADMIN_PORT}`] : [],
    )
    const rally = config.scrape_configs.find((job) => job.job_name === 'rally')
    expect(rally?.static_configs.flatMap((each) => each.targets).toSorted()).toEqual(nodes.toSorted())
  })
})

describe('the dashboard', () => {
  test('has panels with ids of their own, and the data source that is provisioned', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length)
    const Provisioned = z.object({ datasources: z.array(z.object({ uid: z.string(), url: z.string() })) })
    const [source] = Provisioned.parse(
      parse(read('deploy/grafana/provisioning/datasources/prometheus.yml')),
    ).datasources
    const uids = [...targets, ...dashboard.templating.list].map(({ datasource }) => datasource.uid)
    expect(new Set(uids)).toEqual(new Set([source?.uid]))
  })
})
