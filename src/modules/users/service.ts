import type { Sql } from '../../db/sql.ts'
import { matchService } from '../matches/index.ts'
import { type Platform, type Service, service } from '../platform.ts'
import { AccountExport } from './account-export.ts'
import { avatarReader, type StoredAvatar } from './avatars/stored-avatars.ts'
import { exportProfile } from './export-profile.ts'
import { PresenceFeed } from './presence/presence-feed.ts'
import { countResult } from './statistics.ts'

/** Profiles, pictures, and who is online. */
export class UserService implements Service {
  readonly presence: PresenceFeed
  readonly accountExport: AccountExport
  readonly avatarOf: (username: string) => Promise<StoredAvatar | undefined>

  constructor(platform: Platform) {
    this.presence = new PresenceFeed(platform)
    this.accountExport = new AccountExport(platform)
    this.avatarOf = avatarReader(platform.database.sql)
    const matches = platform.use(matchService)
    matches.lifecycle.onPresence((userIds) => this.presence.announce(userIds))
    matches.hooks.onResult(countResult)
    matches.feed.onChange(({ players }) => this.presence.announce(players.flatMap(({ userId }) => userId ?? [])))
  }

  get queues() {
    return { 'users.presence': this.presence.queue }
  }

  async start(): Promise<void> {
    await this.presence.start()
  }

  exportOf(userId: string, sql: Sql) {
    return exportProfile(sql, userId)
  }

  async stop(): Promise<void> {
    this.presence.stop()
  }
}

export const userService = service('users', (platform) => new UserService(platform))
