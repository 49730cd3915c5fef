import type { storage as module } from '../../src/modules/storage/index.ts'
import { type AccessOf, everybody, type World } from './cases.ts'

/** A private value of the owner. */
async function privateValue({ owner }: World): Promise<{ key: string; username: string }> {
  await owner.client.call('storage.put', { key: 'access', value: 1, visibility: 'private' })
  return { key: 'access', username: owner.player.username }
}

export const storage: AccessOf<typeof module> = {
  put: { ...everybody, input: () => ({ key: 'own', value: 1 }) },
  get: { input: privateValue, other: 'NOT_FOUND' },
  list: everybody,
  remove: { input: async (world) => ({ key: (await privateValue(world)).key }), other: 'NOT_FOUND' },
}
