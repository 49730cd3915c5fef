import { createClient, type RallyError, type StreamInfo } from '../../src/client/index.ts'
import type { AnyApi } from '../../src/protocol/index.ts'
import type { Named, TestApi } from './support.ts'

/** Checked by the compiler alone: a line marked as an error that compiles fails `tsc -p test`. */
export async function types(): Promise<void> {
  const rally = createClient<TestApi>({ url: 'http://127.0.0.1' })
  const isExactly = <A>() => ({
    as: <B>(_same: (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false) => {},
  })

  const thing = await rally.things.get({ id: 'a' })
  isExactly<typeof thing>().as<{ name: string }>(true)
  await rally.things.list()
  await rally.things.list({ limit: 3 }, { timeoutMs: 5, signal: AbortSignal.timeout(5), eid: 'e' })

  // @ts-expect-error there is no such module
  rally.thing.get({ id: 'a' })
  // @ts-expect-error there is no such method
  rally.things.fetch({ id: 'a' })
  // @ts-expect-error the input is needed
  rally.things.get()
  // @ts-expect-error the input has another name
  rally.things.get({ name: 'a' })
  // @ts-expect-error the input has another type
  rally.things.get({ id: 1 })
  // @ts-expect-error one field too many
  rally.things.list({ limit: 3, offset: 4 })
  // @ts-expect-error the output has no such field
  thing.id
  // @ts-expect-error there is no such option
  rally.things.get({ id: 'a' }, { timeout: 5 })

  const outcome = await rally.things.get.try({ id: 'a' })
  if (outcome.ok) isExactly<typeof outcome.data>().as<{ name: string }>(true)
  else {
    if (outcome.error.code === 'NOT_FOUND' || outcome.error.code === 'RATE_LIMITED') return
    if (outcome.error.code === 'OFFLINE' || outcome.error.code === 'TIMEOUT') return
    // @ts-expect-error a code of another method
    if (outcome.error.code === 'FULL') return
  }

  const stop = rally.things.onThing(
    { id: 'a' },
    {
      next(value, info) {
        isExactly<typeof value>().as<Named>(true)
        isExactly<typeof info>().as<StreamInfo>(true)
      },
      error(error) {
        if (error.code === 'NOT_FOUND' || error.code === 'UNAUTHENTICATED' || error.code === 'STREAM_CLOSED') return
        // @ts-expect-error a code that the subscription does not declare
        if (error.code === 'FULL') return
      },
      end: (reason) => isExactly<typeof reason>().as<string>(true),
      healed: ({ kind }) => isExactly<typeof kind>().as<'missed' | 'snapshot'>(true),
    },
  )
  isExactly<typeof stop>().as<() => void>(true)

  rally.things.onLog(
    { room: 'r' },
    { next: (value) => isExactly<typeof value>().as<{ lines: string[] } | { line: string }>(true) },
  )
  rally.things.onLog(
    { room: 'r' },
    {
      snapshot: (value) => isExactly<typeof value>().as<{ lines: string[] }>(true),
      next: (value) => isExactly<typeof value>().as<{ line: string }>(true),
    },
  )
  // @ts-expect-error a subscription needs a listener
  rally.things.onThing({ id: 'a' })
  // @ts-expect-error a listener needs `next`
  rally.things.onThing({ id: 'a' }, { error() {} })
  // @ts-expect-error the input has another name
  rally.things.onThing({ name: 'a' }, { next() {} })

  rally.on('user', (user) =>
    isExactly<typeof user>().as<{ readonly id: string; readonly username: string } | null>(true),
  )
  rally.on('error', (error) => isExactly<typeof error>().as<RallyError>(true))
  // @ts-expect-error there is no such event
  rally.on('message', () => {})
  // @ts-expect-error the status is told, not set
  rally.status = 'open'

  const signIn = await rally.signIn('ana')
  // @ts-expect-error only a candidate has a secret
  signIn.secret
  if (signIn.status === 'candidate') isExactly<typeof signIn.qrCode>().as<string>(true)

  // @ts-expect-error an Api is made of methods and subscriptions
  createClient<{ things: { get: string } }>()
  createClient<AnyApi>()
}
