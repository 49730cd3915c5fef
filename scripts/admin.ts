// `npm run admin -- <username>`: the command of the server, with the variables of `.env`.
import { loadEnvFile } from './env-file.ts'

loadEnvFile()
await import('../src/commands/grant-admin.ts')
