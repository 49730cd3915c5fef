import { existsSync, readFileSync } from 'node:fs'

/** Reads `.env` of the working directory, if there is one. A variable that is set already stays as it is. */
export function loadEnvFile(): void {
  // One that `make env` wrote is for containers: its database cannot be reached from here.
  if (existsSync('.env') && !/^COMPOSE_PROFILES=/m.test(readFileSync('.env', 'utf8'))) process.loadEnvFile('.env')
}
