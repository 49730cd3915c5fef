import { z } from 'zod'
import { module } from '../../src/modules/define.ts'
import { type Call, channel, definers, type Hub } from '../../src/rpc/index.ts'

/** What the test module's handlers work on, and what they did. */
export class World {
  count = 0
  inputs = 0
  readonly #hub: Hub
  readonly #logs = new Map<string, { seq: number; items: number[] }>()
  readonly #hanging = new Set<() => void>()
  #frame = 0
  #step = 0

  constructor(hub: Hub) {
    this.#hub = hub
  }

  /** Calls of `t.hang` that are under way. */
  get hanging(): number {
    return this.#hanging.size
  }

  hang(): Promise<Record<string, never>> {
    return new Promise((resolve) => {
      this.#hanging.add(() => resolve({}))
    })
  }

  /** Lets all calls of `t.hang` end. */
  letGo(): void {
    for (const end of this.#hanging) end()
    this.#hanging.clear()
  }

  /** Adds one entry to a log and tells its followers. */
  append(key: string, padding = ''): void {
    const log = this.log(key)
    log.seq++
    this.#hub.publish(logChannel(key), log.seq, { n: log.seq, padding })
  }

  log(key: string): { seq: number; items: number[] } {
    const log = this.#logs.get(key) ?? { seq: 0, items: [] }
    this.#logs.set(key, log)
    return log
  }

  endLog(key: string): void {
    this.#hub.end(logChannel(key), 'over')
  }

  get frame(): number {
    return this.#frame
  }

  /** Publishes the next state of a `latest` stream, whose events each stand alone. */
  show(padding = ''): void {
    this.#frame++
    this.#hub.publish(frameChannel, this.#frame, { n: this.#frame, padding })
  }

  get step(): number {
    return this.#step
  }

  /** Publishes the next event of a `latest` stream whose events build on one another. */
  advance(padding = ''): void {
    this.#step++
    this.#hub.publish(stepChannel, this.#step, { n: this.#step, padding })
  }
}

const Entry = z.object({ n: z.number(), padding: z.string() })
type Entry = z.infer<typeof Entry>
const logChannel = (key: string) => channel<Entry>('t.onLog', key)
const frameChannel = channel<Entry>('t.onFrame')
const stepChannel = channel<Entry>('t.onStep', '', { incremental: true })

export interface RigContext {
  readonly call: Call<object>
  readonly user: { readonly id: string; readonly username: string } | null
}

const { method, subscription } = definers<RigContext>()
/** More than any test uses. */
const plenty = { points: 1_000_000, perSeconds: 60 }

/** Methods and subscriptions of every kind, each for one behaviour of the layers below. */
export function testModule(world: () => World) {
  const Counted = z.object({ count: z.number() })
  return module({
    name: 't',
    methods: {
      echo: method({
        summary: 'Answers what it was sent.',
        access: 'anyone',
        effect: 'read',
        limit: plenty,
        input: z.object({ value: z.unknown() }),
        output: z.object({ value: z.unknown() }),
        handle: ({ input }) => ({ value: input.value }),
      }),
      strict: method({
        summary: 'Takes a list of a fixed shape.',
        access: 'anyone',
        effect: 'read',
        limit: plenty,
        input: z.strictObject({ list: z.array(z.object({ a: z.number(), b: z.enum(['x', 'y']) })) }),
        output: z.object({}),
        handle: () => ({}),
      }),
      whoAmI: method({
        summary: 'Tells who calls.',
        access: 'anyone',
        effect: 'read',
        limit: plenty,
        input: z.object({}),
        output: z.object({ username: z.string().nullable(), ip: z.string(), device: z.array(z.string()).nullable() }),
        handle: ({ ctx }) => {
          const { ip, device } = ctx.call.caller
          return { username: ctx.user?.username ?? null, ip, device: device && [...device.users] }
        },
      }),
      secret: method({
        summary: 'Answers users only.',
        access: 'user',
        effect: 'read',
        input: z.object({}),
        output: z.object({}),
        handle: () => ({}),
      }),
      hang: method({
        summary: 'Answers when the test lets it.',
        access: 'anyone',
        effect: 'read',
        limit: plenty,
        input: z.object({}),
        output: z.object({}),
        handle: () => world().hang(),
      }),
      crash: method({
        summary: 'Fails.',
        access: 'anyone',
        effect: 'read',
        limit: plenty,
        input: z.object({}),
        output: z.object({}),
        handle: () => {
          throw new Error('the password is hunter2')
        },
      }),
      count: method({
        summary: 'Counts once.',
        access: 'user',
        effect: 'write',
        limit: plenty,
        input: z.object({ fail: z.boolean().optional() }),
        output: Counted,
        errors: ['NOT_FOUND'],
        handle: async ({ input, fail }) => {
          await new Promise(setImmediate)
          world().count++
          if (input.fail) throw fail('NOT_FOUND', `there is no ${world().count}`)
          return { count: world().count }
        },
      }),
      countAnonymously: method({
        summary: 'Counts for anybody.',
        access: 'anyone',
        effect: 'write',
        limit: plenty,
        input: z.object({}),
        output: Counted,
        handle: async () => {
          await new Promise(setImmediate)
          return { count: ++world().count }
        },
      }),
      limited: method({
        summary: 'Answers twice a minute.',
        access: 'anyone',
        effect: 'read',
        limit: { points: 2, perSeconds: 60 },
        input: z.object({}),
        output: z.object({}),
        handle: () => ({}),
      }),
      input: method({
        summary: 'Takes a move.',
        access: 'anyone',
        effect: 'input',
        limit: plenty,
        input: z.object({ move: z.number() }),
        output: z.object({}),
        handle: () => {
          world().inputs++
          return {}
        },
      }),
    },
    subscriptions: {
      onLog: subscription({
        summary: 'Follows a log.',
        access: 'anyone',
        delivery: 'reliable',
        limit: plenty,
        input: z.strictObject({ key: z.string(), slow: z.boolean().optional() }),
        event: Entry,
        snapshot: Counted,
        async open({ input, since }) {
          const at = world().log(input.key).seq
          // A database takes its time to answer with what it read.
          if (input.slow) for (let i = 0; i < 3; i++) await new Promise(setImmediate)
          const opened = { channel: logChannel(input.key), seq: at }
          if (since === undefined) return { ...opened, snapshot: { count: at } }
          const missed = Array.from({ length: at - since }, (_, i) => since + i + 1)
          return { ...opened, missed: missed.map((n) => ({ seq: n, data: { n, padding: '' } })) }
        },
      }),
      onFrame: subscription({
        summary: 'Follows the newest frame.',
        access: 'anyone',
        delivery: 'latest',
        limit: plenty,
        input: z.object({}),
        event: Entry,
        open: () => ({ channel: frameChannel, seq: world().frame, snapshot: { n: world().frame, padding: '' } }),
      }),
      onStep: subscription({
        summary: 'Follows the newest step.',
        access: 'anyone',
        delivery: 'latest',
        limit: plenty,
        input: z.object({}),
        event: Entry,
        open: () => ({ channel: stepChannel, seq: world().step, snapshot: { n: world().step, padding: '' } }),
      }),
      onHang: subscription({
        summary: 'Opens when the test lets it.',
        access: 'anyone',
        delivery: 'reliable',
        limit: plenty,
        input: z.object({}),
        event: Entry,
        snapshot: z.object({}),
        open: async () => ({ channel: logChannel('hang'), seq: 0, snapshot: await world().hang() }),
      }),
      onMine: subscription({
        summary: "Follows a stream of the user's own.",
        access: 'user',
        delivery: 'reliable',
        input: z.object({}),
        event: Entry,
        open: ({ ctx }) => ({ channel: logChannel(ctx.user.id), seq: 0, snapshot: { n: 0, padding: '' } }),
      }),
    },
  })
}
