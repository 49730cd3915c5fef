import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { createPageNet, NetContext } from './net/net-context.ts'
import { connect, RallyContext } from './rally.ts'
import './styles/tokens.css'
import './styles/base.css'
import './styles/buttons.css'
import './styles/parts.css'
import './styles/shell.css'
import './styles/sign-in.css'
import './styles/lists.css'
import './styles/match.css'
import './styles/court.css'
import './styles/board.css'

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no #root')

// The games' schemas would ask whether code can be made out of text, which the page's policy forbids and reports.
Object.assign(globalThis, { __zod_globalConfig: { jitless: true } })

const net = createPageNet()

createRoot(root).render(
  <StrictMode>
    <RallyContext value={connect(net.network)}>
      <NetContext value={net}>
        <App />
      </NetContext>
    </RallyContext>
  </StrictMode>,
)
