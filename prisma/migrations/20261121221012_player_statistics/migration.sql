-- CreateTable
CREATE TABLE "player_statistics" (
    "user_id" TEXT NOT NULL,
    "game" TEXT NOT NULL,
    "played" INTEGER NOT NULL,
    "won" INTEGER NOT NULL,

    CONSTRAINT "player_statistics_pkey" PRIMARY KEY ("user_id","game")
);

-- AddForeignKey
ALTER TABLE "player_statistics" ADD CONSTRAINT "player_statistics_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;


-- The matches that are finished already.
INSERT INTO "player_statistics" ("user_id", "game", "played", "won")
SELECT seats.user_id, matches.game, count(*), count(*) FILTER (WHERE matches.winner_seat = seats.seat)
FROM seats JOIN matches ON matches.id = seats.match_id
WHERE seats.user_id IS NOT NULL AND matches.status = 'finished' AND matches.mode IN ('casual', 'ranked')
GROUP BY seats.user_id, matches.game;
