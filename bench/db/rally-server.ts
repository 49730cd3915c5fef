import { startRally } from '../../src/rally.ts'
import { report } from '../support/child.ts'

// Rally as it is in production; the environment says where its database is, and lifts its limits.
const app = await startRally()
process.once('SIGTERM', () => void app.stop(0).finally(() => process.exit(0)))
report(app.port)
