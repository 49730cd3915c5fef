import type { AdminUser } from '../../../../src/modules/admin/types.ts'

export function UserTags({ user }: { user: AdminUser }) {
  return (
    <>
      {user.isOnline && <span className="tag tag-accent">online</span>}{' '}
      {user.role === 'admin' && <span className="tag">admin</span>}{' '}
      {user.ban && <span className="tag tag-danger">banned</span>}
    </>
  )
}
