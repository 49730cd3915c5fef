import type { RoomKind } from '../../../../src/modules/rooms/types.ts'

/** The kinds of rooms in words. */
export const ROOM_KINDS = {
  chat: { label: 'Chat', about: 'Write with up to 50 people.' },
  call: { label: 'Call', about: 'Camera, microphone and screen, for up to 4 people.' },
  coop: { label: 'Coop', about: 'Play together, up to 8 people.' },
} as const satisfies Record<RoomKind, { label: string; about: string }>

export const roomKinds = ['chat', 'call', 'coop'] as const satisfies readonly RoomKind[]
