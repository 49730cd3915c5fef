import type { Visitor } from './visitor.ts'

/** Opens a room by the form on the page of rooms. Resolves with its address, on its page. */
export async function openRoom({ page }: Visitor, kind: 'chat' | 'call' | 'coop', name: string): Promise<string> {
  await page.goto('/rooms')
  await page.getByTestId('room-name').fill(name)
  await page.getByTestId(`room-kind-${kind}`).check({ force: true })
  await page.getByTestId('create-room').click()
  await page.getByRole('heading', { level: 1, name }).waitFor()
  return new URL(page.url()).pathname
}
