import { describe, expect, test } from 'vitest'
import { modules } from '../../src/modules/index.ts'

const { auth, rooms, scores, tournaments, users } = modules
const scored = { gameMode: 'endless', score: 1 }
const cup = { game: 'pong', size: 4, format: 'single-elimination' }

/** Each text that others or its user read, in the input of its method. */
const texts = {
  'the name of a room': (name: string) => rooms.methods.create.input.safeParse({ name, kind: 'chat' }),
  'a chat message': (text: string) => rooms.methods.chat.input.safeParse({ roomId: 'r', text }),
  'the name of a tournament': (name: string) => tournaments.methods.create.input.safeParse({ ...cup, name }),
  'the name of a score': (playerName: string) => scores.methods.submit.input.safeParse({ ...scored, playerName }),
  'a display name': (displayName: string) => users.methods.updateProfile.input.safeParse({ displayName }),
  'the text of a profile': (bio: string) => users.methods.updateProfile.input.safeParse({ bio }),
  'the name of a token': (name: string) => auth.methods.createToken.input.safeParse({ name, scopes: ['read'] }),
  'the name of a passkey': (name: string) => auth.methods.renamePasskey.input.safeParse({ passkeyId: 'p', name }),
}
const withLines = ['a chat message', 'the text of a profile']

describe.each(Object.entries(texts))('%s', (what, parse) => {
  test('is text in any script, composed and without space around it', () => {
    for (const text of ['Ada 1!', 'Žofie', 'Ольга', '小さい猫', 'मीना देवी', '👩‍👩‍👧 crew'])
      expect(parse(text).success, text).toBe(true)
    expect(JSON.stringify(parse('  Zoe\u0308 ').data)).toContain('"Zoë"')
  })

  test('has no control characters, and none that hide or turn text around', () => {
    const controls = [0, 7, 0x1b, 0x7f, 0xd800]
    const turning = [0x61c, 0x200e, 0x202e, 0x2066, 0xfff9, 0xfffb]
    const unseen = [
      0xad, 0x34f, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x180e, 0x200b, 0x2800, 0x3164, 0xfeff, 0xffa0, 0xe0041, 0xe0fff,
    ]
    for (const code of [...controls, ...turning, ...unseen])
      expect(parse(`Ada${String.fromCodePoint(code)}1`).success, `U+${code.toString(16)}`).toBe(false)
  })

  test('has lines only where they are shown', () => {
    for (const text of ['Ada\nBen', 'Ada\r\nBen']) expect(parse(text).success).toBe(withLines.includes(what))
    for (const code of [0x2028, 0x2029]) {
      expect(parse(`Ada${String.fromCharCode(code)}Ben`).success).toBe(withLines.includes(what))
    }
  })

  test('can be seen, and has an end', () => {
    if (what !== 'the text of a profile') for (const text of ['', '   ']) expect(parse(text).success).toBe(false)
    expect(parse('a'.repeat(501)).success).toBe(false)
  })
})

test('the key of a claim has visible characters only', () => {
  const claim = (key: string) => rooms.methods.claim.input.safeParse({ roomId: 'r', key }).success
  expect(claim('coin 1')).toBe(true)
  for (const key of ['', 'a\n', 'a\u202eb', 'x'.repeat(41)]) expect(claim(key)).toBe(false)
})
