import { useEffect, useState } from 'react'
import { Field } from '../../ui/field.tsx'
import { Loading } from '../../ui/notice.tsx'
import { Page } from '../../ui/page.tsx'
import { type Described, readApi } from './read-api.ts'
import { TryIt } from './try-it.tsx'

/** Every method and stream of the server with its schemas, to read and to try. */
export function DocsPage() {
  const [all, setAll] = useState<readonly Described[] | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const [typed, setTyped] = useState('')
  useEffect(() => {
    const leaving = new AbortController()
    readApi(leaving.signal).then(setAll, (error: unknown) => {
      if (!leaving.signal.aborted) setProblem(String(error))
    })
    return () => leaving.abort()
  }, [])
  const wanted = typed.trim().toLowerCase()
  const shown = (all ?? []).filter(({ type, summary }) => `${type} ${summary}`.toLowerCase().includes(wanted))
  return (
    <Page title="Methods and streams">
      <div className="stack">
        <p>
          What this server answers over its socket and over HTTP, also as <a href="/openapi.json">OpenAPI</a> and{' '}
          <a href="/asyncapi.json">AsyncAPI</a>.
        </p>
        {problem && <p role="alert">{problem}</p>}
        {!all && !problem && <Loading>Reading…</Loading>}
        {all && (
          <Field
            label="Find"
            type="search"
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            autoComplete="off"
            spellCheck={false}
          />
        )}
        <ul className="stack docs-list">
          {shown.map((described) => (
            <li key={described.type}>
              <DefinitionCard described={described} />
            </li>
          ))}
        </ul>
      </div>
    </Page>
  )
}

function DefinitionCard({ described }: { readonly described: Described }) {
  const { type, summary, access, scope, manner, limit, errors, schemas } = described
  const [isOpen, setOpen] = useState(false)
  return (
    <details className="card docs-card" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <code>{type}</code> <span className="docs-summary">{withCode(summary)}</span>
      </summary>
      {isOpen && (
        <div className="stack">
          <p className="docs-facts">
            {manner} · for {access} · scope {scope}
            {limit && ` · ${limit}`}
            {errors.length > 0 && ` · ${errors.join(', ')}`}
          </p>
          {schemas.map(([name, schema]) => (
            <details key={name}>
              <summary>{name}</summary>
              <pre className="docs-code">{JSON.stringify(schema, null, 2) ?? 'nothing'}</pre>
            </details>
          ))}
          <TryIt described={described} />
        </div>
      )}
    </details>
  )
}

/** A text with its parts between backticks as code. */
function withCode(text: string) {
  // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text keep their places
  return text.split('`').map((part, at) => (at % 2 === 1 ? <code key={at}>{part}</code> : part))
}
