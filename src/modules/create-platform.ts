import { every } from './periodic-jobs.ts'
import type { Platform, Service, ServiceKey } from './platform.ts'

interface CreatedPlatform {
  readonly platform: Platform
  /** In the order of their creation. */
  readonly services: ReadonlyMap<ServiceKey<unknown>, Service>
  /** All services are started. From now on a new service that needs a start is refused. */
  markStarted(): void
}

export function createPlatform(parts: Omit<Platform, 'use' | 'every'>): CreatedPlatform {
  const services = new Map<ServiceKey<unknown>, Service>()
  const underWay: string[] = []
  let areStarted = false

  function use<T>(key: ServiceKey<T>): T {
    // Each service is kept under the key that made it.
    const known = services.get(key) as T | undefined
    if (known !== undefined) return known
    const path = [...underWay, key.name]
    if (underWay.includes(key.name)) throw new Error(`services need each other: ${path.join(' -> ')}`)
    underWay.push(key.name)
    try {
      const made = key.create(platform)
      const service: Service = made as Service
      if (areStarted && (service.start || service.stop)) {
        throw new Error(`the service ${key.name} would not be started: name it as the \`service\` of a module`)
      }
      services.set(key, service)
      return made
    } finally {
      underWay.pop()
    }
  }

  const platform: Platform = { ...parts, use, every: (name, everyMs, work) => every(name, everyMs, work, parts.log) }
  return {
    platform,
    services,
    markStarted() {
      areStarted = true
    },
  }
}
