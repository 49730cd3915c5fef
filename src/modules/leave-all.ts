import type { Platform, Scope } from './platform.ts'
import type { UserId } from './wire.ts'

/** Ends what a user takes part in, in all modules. The user's row has to be locked. */
export async function leaveAll({ allServices }: Platform, scope: Scope, userId: UserId): Promise<void> {
  for (const service of allServices().values()) await service.leaveAll?.(scope, userId)
}
