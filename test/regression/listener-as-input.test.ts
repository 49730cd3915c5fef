import { expect } from 'vitest'
import { test } from '../client/support.ts'

test('a subscription without its input does not compile, and throws where it is called', ({ rally }) => {
  const listener = { next: () => undefined }
  // @ts-expect-error the input is missing
  expect(() => rally.things.onThing(listener)).toThrow('things.onThing takes an input')
  // @ts-expect-error a listener has a function `next`
  expect(() => rally.things.onThing({ id: '1' }, { error: () => undefined })).toThrow(TypeError)
})
