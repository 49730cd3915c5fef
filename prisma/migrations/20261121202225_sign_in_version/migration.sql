-- AlterTable
ALTER TABLE "users" ADD COLUMN     "sign_in_version" INTEGER NOT NULL DEFAULT 0;
