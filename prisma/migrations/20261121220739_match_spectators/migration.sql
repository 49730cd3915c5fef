-- AlterTable
ALTER TABLE "matches" ADD COLUMN     "spectators" INTEGER NOT NULL DEFAULT 0;
