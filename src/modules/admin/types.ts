import { z } from 'zod'
import { SessionInfo } from '../auth/types.ts'
import { MatchId, Timestamp, UserId } from '../wire.ts'

/** Why an admin does something, as the user and the audit log read it. */
export const Reason = z.string().trim().min(1).max(300)

export const Ban = z.object({
  reason: z.string(),
  since: Timestamp,
  /** Null until it is lifted. */
  until: Timestamp.nullable(),
})
export type Ban = z.infer<typeof Ban>

export const AdminUser = z.object({
  id: UserId,
  username: z.string(),
  displayName: z.string(),
  createdAt: Timestamp,
  role: z.enum(['player', 'admin']),
  /** Null also after its time is over. */
  ban: Ban.nullable(),
  isOnline: z.boolean(),
  authenticatorResetAt: Timestamp.nullable(),
})
export type AdminUser = z.infer<typeof AdminUser>

export const UserDetails = AdminUser.extend({
  /** The open ones, newest first, 50 at most. */
  sessions: z.array(SessionInfo.omit({ current: true })),
  /** Waiting and live matches in which the user has a seat. */
  matchIds: z.array(MatchId),
})
export type UserDetails = z.infer<typeof UserDetails>

/** An act of an admin. `abort` is of a match, the others of a user. */
export const Act = z.enum(['ban', 'unban', 'endSessions', 'resetAuthenticator', 'setRole', 'abort'])
export type Act = z.infer<typeof Act>

const Named = z.object({ id: UserId, username: z.string() })

/** A row of the audit log. It never changes. */
export const AuditEntry = z.object({
  id: z.string(),
  at: Timestamp,
  act: Act,
  /** Null for the command line of the server. */
  admin: Named.nullable(),
  user: Named.nullable(),
  matchId: MatchId.nullable(),
  details: z.record(z.string(), z.unknown()),
  /** The address group of the admin: an IPv4 address or the /64 of an IPv6 one. */
  address: z.string().nullable(),
})
export type AuditEntry = z.infer<typeof AuditEntry>

/** What a node tells of itself. */
export const NodeFigures = z.object({
  id: z.string(),
  version: z.string(),
  uptimeMs: z.number(),
  sockets: z.number().int(),
  /** Signed-in users with a socket to it. */
  users: z.number().int(),
  liveMatches: z.number().int(),
  /** Since its start. */
  requests: z.number().int(),
  /** Resident memory. */
  memoryBytes: z.number().int(),
})
export type NodeFigures = z.infer<typeof NodeFigures>

/** All nodes at one moment. */
export const Overview = z.object({
  at: Timestamp,
  nodes: z.array(
    NodeFigures.omit({ requests: true }).extend({
      /** Null until the node was asked twice. */
      requestsPerSecond: z.number().nullable(),
    }),
  ),
  /** Ids of nodes that did not answer in time. */
  silentNodes: z.array(z.string()),
  sockets: z.number().int(),
  /** Signed-in users with a socket to any node. */
  users: z.number().int(),
  waitingMatches: z.number().int(),
  liveMatches: z.number().int(),
})
export type Overview = z.infer<typeof Overview>
