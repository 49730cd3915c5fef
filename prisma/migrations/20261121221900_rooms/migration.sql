-- CreateEnum
CREATE TYPE "RoomKind" AS ENUM ('coop', 'call', 'chat');

-- CreateTable
CREATE TABLE "rooms" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "kind" "RoomKind" NOT NULL,
    "visibility" "MatchVisibility" NOT NULL DEFAULT 'public',
    "code" TEXT,
    "capacity" INTEGER NOT NULL,
    "host_id" TEXT,
    "match_id" TEXT,
    "version" INTEGER NOT NULL DEFAULT 1,
    "trimmed_seq" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "empty_at" TIMESTAMPTZ(3),
    "closed_at" TIMESTAMPTZ(3),

    CONSTRAINT "rooms_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "room_members" (
    "room_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "first_joined_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "joined_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "away_since" TIMESTAMPTZ(3),
    "left_at" TIMESTAMPTZ(3),
    "spent_ms" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "room_members_pkey" PRIMARY KEY ("room_id","user_id")
);

-- CreateTable
CREATE TABLE "room_presence" (
    "room_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "node_id" TEXT NOT NULL,

    CONSTRAINT "room_presence_pkey" PRIMARY KEY ("room_id","user_id","node_id")
);

-- CreateTable
CREATE TABLE "room_log" (
    "room_id" TEXT NOT NULL,
    "seq" INTEGER NOT NULL,
    "user_id" TEXT NOT NULL,
    "text" TEXT,
    "key" TEXT,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "room_log_pkey" PRIMARY KEY ("room_id","seq")
);

-- CreateTable
CREATE TABLE "room_claims" (
    "room_id" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "user_id" TEXT,
    "claimed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "room_claims_pkey" PRIMARY KEY ("room_id","key")
);

-- CreateIndex
CREATE UNIQUE INDEX "rooms_code_key" ON "rooms"("code");

-- CreateIndex
CREATE UNIQUE INDEX "rooms_match_id_key" ON "rooms"("match_id");

-- CreateIndex
CREATE INDEX "rooms_visibility_closed_at_created_at_id_idx" ON "rooms"("visibility", "closed_at", "created_at", "id");

-- CreateIndex
CREATE INDEX "rooms_closed_at_idx" ON "rooms"("closed_at");

-- CreateIndex
CREATE INDEX "rooms_empty_at_idx" ON "rooms"("empty_at");

-- CreateIndex
CREATE INDEX "rooms_host_id_idx" ON "rooms"("host_id");

-- CreateIndex
CREATE INDEX "room_members_user_id_left_at_room_id_idx" ON "room_members"("user_id", "left_at", "room_id");

-- CreateIndex
CREATE INDEX "room_members_left_at_away_since_idx" ON "room_members"("left_at", "away_since");

-- CreateIndex
CREATE INDEX "room_presence_node_id_idx" ON "room_presence"("node_id");

-- CreateIndex
CREATE INDEX "room_presence_user_id_idx" ON "room_presence"("user_id");

-- CreateIndex
CREATE INDEX "room_log_at_idx" ON "room_log"("at");

-- CreateIndex
CREATE INDEX "room_log_user_id_idx" ON "room_log"("user_id");

-- CreateIndex
CREATE INDEX "room_claims_user_id_idx" ON "room_claims"("user_id");

-- AddForeignKey
ALTER TABLE "rooms" ADD CONSTRAINT "rooms_host_id_fkey" FOREIGN KEY ("host_id") REFERENCES "users"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "rooms" ADD CONSTRAINT "rooms_match_id_fkey" FOREIGN KEY ("match_id") REFERENCES "matches"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "room_members" ADD CONSTRAINT "room_members_room_id_fkey" FOREIGN KEY ("room_id") REFERENCES "rooms"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "room_members" ADD CONSTRAINT "room_members_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "room_presence" ADD CONSTRAINT "room_presence_room_id_fkey" FOREIGN KEY ("room_id") REFERENCES "rooms"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "room_presence" ADD CONSTRAINT "room_presence_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "room_presence" ADD CONSTRAINT "room_presence_node_id_fkey" FOREIGN KEY ("node_id") REFERENCES "nodes"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "room_log" ADD CONSTRAINT "room_log_room_id_fkey" FOREIGN KEY ("room_id") REFERENCES "rooms"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "room_log" ADD CONSTRAINT "room_log_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "room_claims" ADD CONSTRAINT "room_claims_room_id_fkey" FOREIGN KEY ("room_id") REFERENCES "rooms"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "room_claims" ADD CONSTRAINT "room_claims_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE SET NULL ON UPDATE CASCADE;
