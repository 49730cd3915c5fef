import type { Locator } from 'playwright-core'
import { expect } from 'vitest'
import { test } from './support/fixtures.ts'
import { openRoom } from './support/room.ts'
import type { Visitor } from './support/visitor.ts'

/** The browsers have fake cameras and microphones, and allow them. */
test('a call of two', { timeout: 90_000 }, async ({ people }) => {
  const leo = await people.player('leo')
  const { visitor: mia, wire } = await people.playerByWire('mia', { theme: 'dark', device: 'phone' })
  const address = await openRoom(leo, 'call', 'Stand-up')
  await mia.page.goto(address)
  await leo.page.getByTestId('call-join').click()
  await leo.page.locator('[data-testid="call"][data-status="on"]').waitFor()
  await leo.page.getByText('Nobody else is in the call yet.').waitFor()
  await mia.page.getByTestId('call-join').click()
  await Promise.all([seesOther(leo), seesOther(mia)])
  await Promise.all([leo.shoot('call'), mia.shoot('call')])
  expect(await mia.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0)

  // What one turns off, the other does not see, and sees again.
  await leo.page.getByTestId('call-toggle-audio').click()
  await mia.page.getByTestId('call-other').getByText('Microphone off').waitFor({ state: 'attached' })
  await leo.page.getByTestId('call-toggle-video').click()
  await videoOf(mia).waitFor({ state: 'detached' })
  await mia.shoot('without-a-camera')
  await leo.page.getByTestId('call-toggle-video').click()
  await seesOther(mia)

  // A screen comes beside the camera.
  await leo.page.getByTestId('call-toggle-screen').click()
  await plays(mia.page.locator('[data-testid="call-screen"] video'))
  await mia.shoot('screen')
  await leo.page.getByTestId('call-toggle-screen').click()
  await mia.page.getByTestId('call-screen').waitFor({ state: 'detached' })

  // The pictures go on while the server cannot be reached, and afterwards.
  mia.tolerate(/WebSocket connection to .* failed/)
  await wire.cut()
  await leo.page.locator('[data-connected="false"]').getByText('mia').waitFor()
  await seesOther(leo)
  await wire.mend()
  await leo.page.locator('[data-connected="true"]').getByText('mia').waitFor()
  await Promise.all([seesOther(leo), seesOther(mia)])

  // A page that is loaded again comes back into the call.
  await mia.page.reload()
  await mia.page.getByTestId('call-join').click()
  await Promise.all([seesOther(leo), seesOther(mia)])

  await mia.page.getByTestId('call-leave').click()
  await mia.page.getByTestId('call-join').waitFor()
  await leo.page.getByTestId('call-other').waitFor({ state: 'detached' })
})

test('a call without devices, and with somebody who cannot be reached', { timeout: 90_000 }, async ({ people }) => {
  const noa = await people.player('noa')
  await noa.page.addInitScript(() => {
    MediaDevices.prototype.getUserMedia = async (wanted) => {
      throw new DOMException('no', wanted?.audio && !wanted.video ? 'NotAllowedError' : 'NotFoundError')
    }
  })
  const ole = await people.player('ole', { device: 'phone' })
  await ole.page.addInitScript(() => {
    if (!('MediaDevices' in globalThis)) return
    const { getUserMedia } = MediaDevices.prototype
    MediaDevices.prototype.getUserMedia = function (wanted) {
      if (wanted?.audio) document.body.dataset.asked = 'microphone'
      return getUserMedia.call(this, wanted)
    }
  })
  const address = await openRoom(noa, 'call', 'Listening in')
  await noa.page.getByTestId('call-join').click()
  await noa.page.getByText('Your browser does not let this page use the microphone').waitFor()
  await noa.page.getByText('No camera was found').waitFor()
  await noa.shoot('no-devices')
  const pia = await people.player('pia')
  // Without a TURN server, a browser that may only use relays reaches nobody.
  await pia.page.addInitScript(() => {
    const Connection = RTCPeerConnection
    Object.assign(globalThis, {
      RTCPeerConnection: class extends Connection {
        constructor(options?: RTCConfiguration) {
          super({ ...options, iceTransportPolicy: 'relay' })
        }
      },
    })
  })
  await pia.page.goto(address)
  await pia.page.getByTestId('call-join').click()
  await tileOf(noa, 'pia').getByText('No connection; this server may lack a TURN server').waitFor({ timeout: 20_000 })
  await noa.shoot('no-connection')

  // Its attempts to connect leave the others room to connect.
  await ole.page.goto(address)
  // A device that its user does not choose is not asked for.
  await ole.page.getByTestId('call-with-audio').uncheck()
  await ole.shoot('devices')
  await ole.page.getByTestId('call-join').click()
  await plays(tileOf(noa, 'ole').locator('video'))
  await tileOf(noa, 'ole').getByText('Microphone off').waitFor({ state: 'attached' })
  await tileOf(ole, 'noa').getByText('Microphone off').waitFor({ state: 'attached' })
  expect(await ole.page.locator('body').getAttribute('data-asked')).toBeNull()
  await ole.page.getByTestId('call-toggle-audio').click()
  await tileOf(noa, 'ole').getByText('Microphone off').waitFor({ state: 'detached' })

  // A page that is closed leaves the call at once, long before its connection is given up.
  await ole.page.goto('about:blank')
  await tileOf(noa, 'ole').waitFor({ state: 'detached', timeout: 8_000 })
})

const tileOf = ({ page }: Visitor, name: string) => page.getByTestId('call-other').filter({ hasText: name })

const videoOf = ({ page }: Visitor) => page.locator('[data-testid="call-other"] video')

function seesOther(visitor: Visitor): Promise<void> {
  return plays(videoOf(visitor))
}

/** Waits until a picture has a size, and moves on. */
async function plays(video: Locator): Promise<void> {
  await video.waitFor({ timeout: 20_000 })
  const look = () => {
    return video.evaluate((element) => {
      if (!(element instanceof HTMLVideoElement)) throw new Error('no video')
      return {
        width: element.videoWidth,
        time: element.currentTime,
        frames: element.getVideoPlaybackQuality().totalVideoFrames,
      }
    })
  }
  await expect.poll(async () => (await look()).width, { timeout: 15_000 }).toBeGreaterThan(0)
  const before = await look()
  await expect
    .poll(
      async () => {
        const { time, frames } = await look()
        return time > before.time && frames > before.frames
      },
      { timeout: 10_000 },
    )
    .toBe(true)
}
