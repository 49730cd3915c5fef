import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
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

createRoot(root).render(
  <StrictMode>
    <RallyContext value={connect()}>
      <App />
    </RallyContext>
  </StrictMode>,
)
