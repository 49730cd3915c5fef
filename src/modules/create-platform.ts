import { every } from './periodic-jobs.ts'
import type { Platform, Service, ServiceKey } from './platform.ts'

/** A platform, and its services in the order in which they were made. */
export function createPlatform(parts: Omit<Platform, 'use' | 'every'>): {
  readonly platform: Platform
  readonly services: ReadonlyMap<ServiceKey<unknown>, Service>
} {
  const services = new Map<ServiceKey<unknown>, Service>()
  const underWay: string[] = []
  const use = <T>(key: ServiceKey<T>): T => {
    // What is kept under a key was made by it.
    const known = services.get(key) as T | undefined
    if (known !== undefined) return known
    if (underWay.includes(key.name))
      throw new Error(`services need each other: ${[...underWay, key.name].join(' -> ')}`)
    underWay.push(key.name)
    try {
      const made = key.create(platform)
      services.set(key, made as Service)
      return made
    } finally {
      underWay.pop()
    }
  }
  const platform: Platform = { ...parts, use, every: (name, everyMs, work) => every(name, everyMs, work, parts.log) }
  return { platform, services }
}
