-- CreateEnum
CREATE TYPE "UserRole" AS ENUM ('player', 'admin');

-- AlterTable
ALTER TABLE "users" ADD COLUMN     "ban_reason" TEXT,
ADD COLUMN     "banned_at" TIMESTAMPTZ(3),
ADD COLUMN     "banned_until" TIMESTAMPTZ(3),
ADD COLUMN     "role" "UserRole" NOT NULL DEFAULT 'player',
ADD COLUMN     "role_changed_at" TIMESTAMPTZ(3);

-- CreateIndex
CREATE INDEX "users_role_changed_at_idx" ON "users"("role_changed_at");
