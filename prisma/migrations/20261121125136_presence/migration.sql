-- AlterTable
ALTER TABLE "seats" DROP COLUMN "node_id";

-- CreateTable
CREATE TABLE "presence" (
    "user_id" TEXT NOT NULL,
    "node_id" TEXT NOT NULL,

    CONSTRAINT "presence_pkey" PRIMARY KEY ("user_id","node_id")
);

-- CreateIndex
CREATE INDEX "presence_node_id_idx" ON "presence"("node_id");

-- AddForeignKey
ALTER TABLE "presence" ADD CONSTRAINT "presence_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "presence" ADD CONSTRAINT "presence_node_id_fkey" FOREIGN KEY ("node_id") REFERENCES "nodes"("id") ON DELETE CASCADE ON UPDATE CASCADE;
