import { startCinema } from './server.ts'

const rally = await startCinema()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => rally.stop())
process.stdout.write(`ready at ${rally.url}\n`)
