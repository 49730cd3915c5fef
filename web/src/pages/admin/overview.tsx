import { type ReactNode, useCallback } from 'react'
import type { Overview as Figures } from '../../../../src/modules/admin/types.ts'
import { type Listener, useSubscription } from '../../hooks/use-subscription.ts'
import { useRally } from '../../rally.ts'
import { ErrorNotice, Loading, Notice } from '../../ui/notice.tsx'

const number = new Intl.NumberFormat()

/** All nodes, as they are now. */
export function Overview() {
  const rally = useRally()
  const open = useCallback((listener: Listener<Figures>) => rally.admin.onOverview({}, listener), [rally])
  const { data, error } = useSubscription(open)
  if (!data) return error ? <ErrorNotice error={error} /> : <Loading>Asking the nodes…</Loading>
  const { nodes, silentNodes, sockets, users, waitingMatches, liveMatches } = data
  const requests = nodes.reduce((sum, { requestsPerSecond }) => sum + (requestsPerSecond ?? 0), 0)
  return (
    <>
      <dl className="admin-figures" data-testid="admin-figures">
        <Figure label="Users online" value={users} />
        <Figure label="Sockets" value={sockets} />
        <Figure label="Live matches" value={liveMatches} />
        <Figure label="Waiting matches" value={waitingMatches} />
        <Figure label="Requests/s" value={requests} />
        <Figure label="Nodes" value={nodes.length} />
      </dl>
      {silentNodes.length > 0 && (
        <Notice look="warn">These nodes did not answer in time: {silentNodes.map(short).join(', ')}.</Notice>
      )}
      <ul className="list">
        {nodes.map((node) => (
          <li key={node.id} className="list-item" data-testid="admin-node">
            <div className="list-text">
              <strong className="mono">{short(node.id)}</strong>
              <span className="small soft">
                version {node.version}, up for {uptime(node.uptimeMs)}
              </span>
            </div>
            <span className="small soft numbers admin-node-figures">
              <Part>{number.format(node.users)} users</Part>
              <Part>{number.format(node.sockets)} sockets</Part>
              <Part>{number.format(node.liveMatches)} live</Part>
              <Part>{number.format(node.requestsPerSecond ?? 0)} requests/s</Part>
              <Part>{number.format(Math.round(node.memoryBytes / 1024 ** 2))} MiB</Part>
            </span>
          </li>
        ))}
      </ul>
      <ErrorNotice error={error} />
    </>
  )
}

function Figure({ label, value }: { label: string; value: number }) {
  return (
    <div className="card">
      <dt className="small soft">{label}</dt>
      <dd className="numbers">{number.format(value)}</dd>
    </div>
  )
}

function Part({ children }: { children: ReactNode }) {
  return <span>{children}</span>
}

/** The first part of a UUID is enough to tell nodes apart. */
function short(id: string): string {
  return id.slice(0, 8)
}

function uptime(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  const hours = Math.floor(minutes / 60)
  if (hours >= 48) return `${Math.floor(hours / 24)} days`
  return hours > 0 ? `${hours} h ${minutes % 60} min` : `${minutes} min`
}
