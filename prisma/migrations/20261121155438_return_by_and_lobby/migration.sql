-- AlterTable
ALTER TABLE "seats" ADD COLUMN     "return_by" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "lobby" (
    "id" INTEGER NOT NULL,
    "seq" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "lobby_pkey" PRIMARY KEY ("id")
);

-- The numbers of the lobby's events go on from the sequence: a row is part of the snapshot of a statement, a sequence is not.
INSERT INTO "lobby" ("id", "seq") SELECT 1, CASE WHEN "is_called" THEN "last_value" ELSE 0 END FROM "lobby_seq";
DROP SEQUENCE "lobby_seq";
