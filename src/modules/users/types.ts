import { z } from 'zod'
import { Timestamp, UserId } from '../wire.ts'

/** A user as everybody sees them. */
export const Profile = z.object({
  id: UserId,
  username: z.string(),
  displayName: z.string(),
  bio: z.string(),
  /** A path on this server. The picture is drawn from the name unless the user uploaded one. */
  avatarUrl: z.string(),
  createdAt: Timestamp,
})
export type Profile = z.infer<typeof Profile>
