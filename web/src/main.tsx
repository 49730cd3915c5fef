import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { NetContext, PageNet } from './network/page-network.ts'
import { connect, RallyContext } from './rally.ts'
import { Sound, SoundContext } from './sound/sound.ts'
import { UnkeptCodesContext, UnkeptCodesStore } from './unkept-codes.ts'
import './styles/tokens.css'
import './styles/base.css'
import './styles/buttons.css'
import './styles/parts.css'
import './styles/shell.css'
import './styles/navigation.css'
import './styles/notifications.css'
import './styles/sign-in.css'
import './styles/lists.css'
import './styles/profile.css'
import './styles/leaderboard.css'
import './styles/match.css'
import './styles/queue.css'
import './styles/rooms.css'
import './styles/tournaments.css'
import './styles/court.css'
import './styles/board.css'
// Loaded with the page, not with their parts: a part that failed to load and is tried again would come without its style.
import './styles/net.css'
import './styles/replay.css'
import './styles/admin.css'
import './styles/call.css'
import './styles/coop.css'
import './styles/docs.css'

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no #root')

// Without this zod tries `new Function`, which the page's content security policy forbids and reports.
Object.assign(globalThis, { __zod_globalConfig: { jitless: true } })

const net = new PageNet()
const rally = connect(net.network)
const sound = new Sound()
const unkeptCodes = new UnkeptCodesStore()
rally.on('user', (user) => {
  if (unkeptCodes.current && user?.id !== unkeptCodes.current.userId) unkeptCodes.set(null)
})

createRoot(root).render(
  <StrictMode>
    <RallyContext value={rally}>
      <NetContext value={net}>
        <UnkeptCodesContext value={unkeptCodes}>
          <SoundContext value={sound}>
            <App />
          </SoundContext>
        </UnkeptCodesContext>
      </NetContext>
    </RallyContext>
  </StrictMode>,
)
