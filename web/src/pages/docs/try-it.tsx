import { useEffect, useId, useRef, useState } from 'react'
import { RallyError } from '../../../../src/client/index.ts'
import { useAction } from '../../hooks/use-action.ts'
import { useRally } from '../../rally.ts'
import { Button } from '../../ui/button.tsx'
import { type Described, exampleOf } from './read-api.ts'

/** Lines that are kept of what came. */
const MAX_LINES = 20

/** Asks a method, or follows a stream, on the page's own socket. */
export function TryIt({ described: { type, kind, schemas, manner } }: { readonly described: Described }) {
  const rally = useRally()
  const id = useId()
  const [text, setText] = useState(() => JSON.stringify(exampleOf(schemas[0]?.[1]), null, 2))
  const [lines, setLines] = useState<readonly { readonly id: number; readonly text: string }[]>([])
  const [isFollowing, setFollowing] = useState(false)
  const stop = useRef<(() => void) | null>(null)
  const count = useRef(0)
  const show = (label: string, value: unknown) => {
    const line = {
      id: count.current++,
      text: `${label}${value === undefined ? '' : ` ${JSON.stringify(value, null, 2)}`}`,
    }
    setLines((former) => [line, ...former].slice(0, MAX_LINES))
  }
  const end = () => {
    stop.current?.()
    stop.current = null
    setFollowing(false)
  }
  useEffect(() => () => stop.current?.(), [])

  const [namespace = '', name = ''] = type.split('.')
  const action = useAction(async (call) => {
    const member = Reflect.get(Reflect.get(rally, namespace), name)
    try {
      const input: unknown = JSON.parse(text)
      if (kind === 'method') {
        const answer: unknown = await member(input, { offlineMs: call.offlineMs })
        show(manner === 'input' ? 'sent' : 'answer', answer)
        return
      }
      stop.current = member(input, {
        next: (value: unknown) => show('event', value),
        error: (error: unknown) => {
          show('error', problemOf(error))
          end()
        },
        end: (reason: unknown) => {
          show('the stream ended:', reason)
          end()
        },
      })
      setFollowing(true)
    } catch (error) {
      show('error', problemOf(error))
    }
  })

  return (
    <div className="stack docs-try">
      <label htmlFor={id}>Try it on your own socket</label>
      <textarea
        id={id}
        className="input docs-input"
        value={text}
        onChange={(event) => setText(event.target.value)}
        rows={Math.min(8, text.split('\n').length)}
        spellCheck={false}
      />
      <div>
        {isFollowing ? (
          <Button onClick={end}>Stop</Button>
        ) : (
          <Button look="primary" busy={action.busy} onClick={() => action.run()}>
            {kind === 'method' ? 'Send' : 'Follow'}
          </Button>
        )}
      </div>
      <div role="log" aria-label={`What ${type} answered`}>
        {lines.map((line) => (
          <pre key={line.id} className="docs-code">
            {line.text}
          </pre>
        ))}
      </div>
    </div>
  )
}

function problemOf(error: unknown): unknown {
  if (error instanceof RallyError) return { code: error.code, message: error.message }
  return error instanceof Error ? error.message : error
}
