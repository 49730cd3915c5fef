-- CreateEnum
CREATE TYPE "InviteReason" AS ENUM ('invite', 'tournament', 'queue');

-- AlterTable
ALTER TABLE "matches" ADD COLUMN     "has_invites" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "origin" TEXT,
ADD COLUMN     "placements" INTEGER[] DEFAULT ARRAY[]::INTEGER[];

-- CreateTable
CREATE TABLE "match_invites" (
    "id" TEXT NOT NULL,
    "match_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "from_id" TEXT,
    "reason" "InviteReason" NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "declined_at" TIMESTAMPTZ(3),

    CONSTRAINT "match_invites_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "invite_feeds" (
    "user_id" TEXT NOT NULL,
    "seq" BIGINT NOT NULL,

    CONSTRAINT "invite_feeds_pkey" PRIMARY KEY ("user_id")
);

-- CreateIndex
CREATE INDEX "match_invites_user_id_expires_at_idx" ON "match_invites"("user_id", "expires_at");

-- CreateIndex
CREATE INDEX "match_invites_from_id_idx" ON "match_invites"("from_id");

-- CreateIndex
CREATE INDEX "match_invites_expires_at_idx" ON "match_invites"("expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "match_invites_match_id_user_id_key" ON "match_invites"("match_id", "user_id");

-- AddForeignKey
ALTER TABLE "match_invites" ADD CONSTRAINT "match_invites_match_id_fkey" FOREIGN KEY ("match_id") REFERENCES "matches"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "match_invites" ADD CONSTRAINT "match_invites_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "match_invites" ADD CONSTRAINT "match_invites_from_id_fkey" FOREIGN KEY ("from_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "invite_feeds" ADD CONSTRAINT "invite_feeds_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;
