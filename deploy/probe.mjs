// Prints the state and the version of the Rally in this container, such as `ready 1.2.3`. It is run by `docker exec`.
const address = `127.0.0.1:${process.env.PORT}`
const signal = AbortSignal.timeout(5_000)
const { status } = await (await fetch(`http://${address}/readyz`, { signal })).json()

const socket = new WebSocket(`ws://${address}/ws`)
const version = await new Promise((resolve, reject) => {
  signal.onabort = reject
  socket.onerror = reject
  socket.onmessage = ({ data }) => resolve(JSON.parse(data).data.version)
})
console.log(status, version)
process.exit()
