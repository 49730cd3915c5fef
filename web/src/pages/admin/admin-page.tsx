import type { ReactNode } from 'react'
import { type AdminPart, adminParts, Link, paths } from '../../router.tsx'
import { Page } from '../../ui/page.tsx'
import { AuditLog } from './audit-log.tsx'
import { Matches } from './matches.tsx'
import { Overview } from './overview.tsx'
import { Users } from './users.tsx'

const labels: Readonly<Record<AdminPart, string>> = {
  overview: 'Overview',
  users: 'Users',
  matches: 'Matches',
  audit: 'Audit log',
}

/** What admins see and do. Loaded for them alone. */
export function AdminPage({ part }: { part: AdminPart }) {
  return (
    <Page title="Admin" tabTitle={`${labels[part]}, admin`}>
      <div className="stack">
        <nav className="admin-parts" aria-label="Parts of the admin page">
          {adminParts.map((each) => (
            <Link key={each} href={paths.admin(each)} aria-current={each === part ? 'page' : undefined}>
              {labels[each]}
            </Link>
          ))}
        </nav>
        {contentOf(part)}
      </div>
    </Page>
  )
}

function contentOf(part: AdminPart): ReactNode {
  switch (part) {
    case 'overview':
      return <Overview />
    case 'users':
      return <Users />
    case 'matches':
      return <Matches />
    case 'audit':
      return <AuditLog />
  }
}
