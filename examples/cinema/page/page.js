// The page of the cinema: the seats of a show, live. It speaks rally.v1 itself, see docs/protocol.md.
const SHOW = { showId: 'tonight' }
const asked = new Map()
const mine = new Set()
let socket
let id = 0

function call(type, data = {}) {
  const eid = `${Date.now()}-${++id}`
  socket.send(JSON.stringify({ type, data, eid, ts: Date.now() }))
  return new Promise((resolve, reject) => asked.set(eid, { resolve, reject }))
}

function connect() {
  socket = new WebSocket(`${location.origin.replace('http', 'ws')}/ws`, 'rally.v1')
  socket.onmessage = ({ data }) => receive(JSON.parse(data))
  socket.onclose = () => setTimeout(connect, 1_000)
}

async function receive({ type, eid, data, error }) {
  const waiting = asked.get(eid)
  asked.delete(eid)
  if (waiting) error ? waiting.reject(new Error(data.message)) : waiting.resolve(data)
  else if (type === 'cinema.onSeats' && !error) draw(data)
  else if (type === 'rpc.welcome') {
    if (!data.user && (await signIn())) return
    draw((await call('cinema.onSeats', SHOW)).snapshot)
  }
}

/** A name and the code of an authenticator app. A new name gets its secret first. */
async function signIn() {
  const begun = await call('auth.begin', { username: prompt('Your name?') ?? '' })
  const secret = begun.secret ? `Add ${begun.secret} to an authenticator app. ` : ''
  const { token } = await call('auth.verify', { code: prompt(`${secret}Its code?`) ?? '' })
  const headers = { 'Content-Type': 'application/json' }
  await fetch('/session', { method: 'POST', headers, body: JSON.stringify({ token }) })
  location.reload()
  return true
}

function draw({ title, seats }) {
  const heading = document.createElement('h1')
  heading.textContent = title
  const help = document.createElement('p')
  help.textContent = 'A click holds a seat for two minutes, the next one books it.'
  const buttons = seats.map(({ seat, status }) => {
    if (status === 'free') mine.delete(seat)
    const button = document.createElement('button')
    button.textContent = `${seat} ${status}`
    button.disabled = status === 'booked' || (status === 'held' && !mine.has(seat))
    button.onclick = () => take(seat)
    return button
  })
  document.body.replaceChildren(heading, help, ...buttons)
}

async function take(seat) {
  const isMine = mine.has(seat)
  mine.add(seat)
  try {
    draw(await call(isMine ? 'cinema.book' : 'cinema.hold', { ...SHOW, seat }))
  } catch (error) {
    mine.delete(seat)
    alert(error.message)
  }
}

connect()
