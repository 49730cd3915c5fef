/** The answer of `/metrics`. */
export interface Scrape {
  readonly text: string
  /** The names of all metrics, without `_bucket`, `_sum` and `_count`. */
  readonly names: ReadonlySet<string>
  /** A value, summed over all label sets that have these labels. 0 when there is none. @throws Error without such a metric */
  value(name: string, labels?: Readonly<Record<string, string>>): number
}

/** Reads the metrics at the admin port of a server. */
export async function scrape(adminUrl: string | undefined): Promise<Scrape> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text()
  return {
    text,
    names: new Set(Array.from(text.matchAll(/^# TYPE (\w+)/gm), ([, name = '']) => name)),
    value(name, labels = {}) {
      const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
      if (lines.length === 0) throw new Error(`there is no metric ${name}`)
      const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
      return lines
        .filter((line) => wanted.every((pair) => line.includes(pair)))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
    },
  }
}
