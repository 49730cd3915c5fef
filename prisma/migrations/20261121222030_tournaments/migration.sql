-- CreateEnum
CREATE TYPE "TournamentFormat" AS ENUM ('single-elimination', 'round-robin');

-- CreateEnum
CREATE TYPE "TournamentStatus" AS ENUM ('open', 'running', 'finished', 'cancelled');

-- CreateEnum
CREATE TYPE "PairingStatus" AS ENUM ('pending', 'ready', 'playing', 'decided');

-- CreateEnum
CREATE TYPE "PairingDecision" AS ENUM ('result', 'forfeit', 'bye', 'seed', 'unplayed');

-- CreateTable
CREATE TABLE "tournaments" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "game" TEXT NOT NULL,
    "format" "TournamentFormat" NOT NULL,
    "size" INTEGER NOT NULL,
    "options" JSONB NOT NULL,
    "status" "TournamentStatus" NOT NULL DEFAULT 'open',
    "version" INTEGER NOT NULL DEFAULT 1,
    "owner_id" TEXT,
    "winner_seed" INTEGER,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),
    "end_reason" TEXT,

    CONSTRAINT "tournaments_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "tournament_entrants" (
    "tournament_id" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "user_id" TEXT,
    "seed" INTEGER,
    "withdrawn" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "tournament_entrants_pkey" PRIMARY KEY ("tournament_id","number")
);

-- CreateTable
CREATE TABLE "tournament_pairings" (
    "tournament_id" TEXT NOT NULL,
    "round" INTEGER NOT NULL,
    "slot" INTEGER NOT NULL,
    "first_seed" INTEGER,
    "second_seed" INTEGER,
    "status" "PairingStatus" NOT NULL DEFAULT 'pending',
    "winner_seed" INTEGER,
    "decided_by" "PairingDecision",
    "first_score" INTEGER,
    "second_score" INTEGER,
    "match_id" TEXT,
    "matches" INTEGER NOT NULL DEFAULT 0,
    "come_by" TIMESTAMPTZ(3),

    CONSTRAINT "tournament_pairings_pkey" PRIMARY KEY ("tournament_id","round","slot")
);

-- CreateIndex
CREATE INDEX "tournaments_status_created_at_id_idx" ON "tournaments"("status", "created_at", "id");

-- CreateIndex
CREATE INDEX "tournaments_owner_id_idx" ON "tournaments"("owner_id");

-- CreateIndex
CREATE INDEX "tournaments_finished_at_idx" ON "tournaments"("finished_at");

-- CreateIndex
CREATE INDEX "tournament_entrants_user_id_idx" ON "tournament_entrants"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "tournament_entrants_tournament_id_user_id_key" ON "tournament_entrants"("tournament_id", "user_id");

-- CreateIndex
CREATE UNIQUE INDEX "tournament_pairings_match_id_key" ON "tournament_pairings"("match_id");

-- CreateIndex
CREATE INDEX "tournament_pairings_status_idx" ON "tournament_pairings"("status");

-- AddForeignKey
ALTER TABLE "tournaments" ADD CONSTRAINT "tournaments_owner_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "users"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tournament_entrants" ADD CONSTRAINT "tournament_entrants_tournament_id_fkey" FOREIGN KEY ("tournament_id") REFERENCES "tournaments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tournament_entrants" ADD CONSTRAINT "tournament_entrants_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tournament_pairings" ADD CONSTRAINT "tournament_pairings_tournament_id_fkey" FOREIGN KEY ("tournament_id") REFERENCES "tournaments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tournament_pairings" ADD CONSTRAINT "tournament_pairings_match_id_fkey" FOREIGN KEY ("match_id") REFERENCES "matches"("id") ON DELETE SET NULL ON UPDATE CASCADE;
