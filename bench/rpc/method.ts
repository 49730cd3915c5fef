import { z } from 'zod'

/** What both servers of the comparison do: a request of ordinary size, checked, and a small answer. */
export const Input = z.object({
  roomId: z.string().min(1).max(40),
  text: z.string().min(1).max(500),
  mentions: z.array(z.string().min(3).max(20)).max(10),
  position: z.object({ x: z.number(), y: z.number() }),
})

export const Output = z.object({ id: z.number(), length: z.number(), mentioned: z.number() })

export function answer(input: z.output<typeof Input>): z.input<typeof Output> {
  return { id: Math.round(input.position.x), length: input.text.length, mentioned: input.mentions.length }
}
