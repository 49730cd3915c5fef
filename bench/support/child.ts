/** The side of a benchmark's server process: says where it listens, and what it has used when asked. */
export function report(port: number): void {
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    process.send?.({ cpuMicros: user + system, rssBytes: process.memoryUsage().rss })
  })
  process.send?.({ port })
}
