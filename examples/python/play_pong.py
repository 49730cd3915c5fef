"""Plays a match of Pong against Rally's bot. Needs Python 3.9 and the package websockets.

Make a token with the scopes `read` and `play` on the account page, then:

    RALLY_TOKEN=rally_... python3 play_pong.py http://localhost:3001

The protocol is in docs/protocol.md, the state of Pong in docs/games.md.
"""

import argparse
import asyncio
import itertools
import json
import os
import time

import websockets

HEIGHT = 600
BALL_RADIUS = 8
# The x of the ball's centre as it touches the face of the left paddle.
FACE = 44
# A paddle this near to its target stays where it is.
CLOSE_ENOUGH = 10
ANSWER_SECONDS = 15


class RallyError(Exception):
    """The server answered with an error."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


class Rally:
    """One socket: requests, and the events of at most one stream of each type."""

    def __init__(self, socket):
        self._socket = socket
        self._ids = itertools.count(1)
        self._answers = {}
        self._streams = {}
        self._reader = asyncio.ensure_future(self._read())

    @classmethod
    async def connect(cls, url, token):
        """Opens a socket as the user of the token. The first frame of the server is the welcome."""
        major = int(websockets.version.version.split(".")[0])
        headers = "additional_headers" if major >= 14 else "extra_headers"
        address = url.rstrip("/").replace("http", "ws", 1) + "/ws"
        own = {headers: {"Authorization": f"Bearer {token}"}}
        socket = await websockets.connect(address, subprotocols=["rally.v1"], **own)
        welcome = json.loads(await socket.recv())
        rally = cls(socket)
        rally.user = welcome["data"]["user"]
        return rally

    async def call(self, type, **data):
        """Sends a request, and gives the data of its answer."""
        eid = f"e{next(self._ids)}"
        answer = asyncio.get_running_loop().create_future()
        self._answers[eid] = answer
        await self._send(type, data, eid)
        try:
            return await asyncio.wait_for(answer, ANSWER_SECONDS)
        finally:
            self._answers.pop(eid, None)

    async def send(self, type, **data):
        """Sends an input, which has no answer."""
        await self._send(type, data, f"e{next(self._ids)}")

    async def subscribe(self, type, **data):
        """Gives the snapshot of a stream, then its events until the server ends it."""
        events = self._streams[type] = asyncio.Queue()
        opened = await self.call(type, **data)
        yield opened["snapshot"]
        while True:
            event = await events.get()
            if event is None:
                return
            yield event

    async def close(self):
        self._reader.cancel()
        await self._socket.close()

    async def _send(self, type, data, eid):
        envelope = {"type": type, "data": data, "eid": eid, "ts": int(time.time() * 1000)}
        await self._socket.send(json.dumps(envelope))

    async def _read(self):
        try:
            async for frame in self._socket:
                self._receive(json.loads(frame))
        finally:
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(ConnectionError("the socket is closed"))
            for events in self._streams.values():
                events.put_nowait(None)

    def _receive(self, message):
        code = message.get("error")
        answer = self._answers.get(message["eid"])
        if answer is not None:
            if answer.done():
                return
            if code is None:
                answer.set_result(message["data"])
            else:
                answer.set_exception(RallyError(code, message["data"]["message"]))
        elif message["type"] in self._streams and "/" in message["eid"]:
            self._streams[message["type"]].put_nowait(None if code else message["data"])


def move(state):
    """-1 up, 0 stay, 1 down: towards where the ball will touch the left paddle."""
    target = HEIGHT / 2
    if state["velocityX"] < 0 and state["pause"] == 0:
        ticks = (state["ballX"] - FACE) / -state["velocityX"]
        room = HEIGHT - 2 * BALL_RADIUS
        # The ball bounces off the walls: fold its way back into the court.
        way = (state["ballY"] - BALL_RADIUS + state["velocityY"] * ticks) % (2 * room)
        target = BALL_RADIUS + min(way, 2 * room - way)
    away = target - state["paddle0"]
    return 0 if abs(away) <= CLOSE_ENOUGH else (1 if away > 0 else -1)


async def play(url, token, points, rate):
    rally = await Rally.connect(url, token)
    try:
        match = await rally.call("matches.create", game="pong", mode="bot", options={"pointsToWin": points})
        print(f"{rally.user['username']} plays {match['joinUrl']}")
        moving = 0
        async for frame in rally.subscribe("live.onState", matchId=match["id"], mode="state", rate=rate):
            state = frame["state"]
            if frame["status"] == "live" and move(state) != moving:
                moving = move(state)
                await rally.send("live.input", matchId=match["id"], input={"move": moving})
        match = await rally.call("matches.getOne", matchId=match["id"])
        scores = [player["score"] for player in match["players"]]
        print(f"{match['status']}: {scores[0]} to {scores[1]}")
    finally:
        await rally.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Plays a match of Pong against the bot.")
    parser.add_argument("url", nargs="?", default="http://localhost:3001")
    parser.add_argument("--points", type=int, default=3, help="who first has so many points wins")
    parser.add_argument("--rate", type=int, default=30, help="how often it sees the state, times a second")
    options = parser.parse_args()
    asyncio.run(play(options.url, os.environ["RALLY_TOKEN"], options.points, options.rate))
