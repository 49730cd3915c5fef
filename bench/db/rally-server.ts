import { startApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { report } from '../support/child.ts'

// Rally as it is in production; the environment says where its database is, and lifts its limits.
const app = await startApp(readConfig(process.env))
process.once('SIGTERM', () => void app.stop().finally(() => process.exit(0)))
report(app.port)
