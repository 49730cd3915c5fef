-- CreateTable
CREATE TABLE "profiles" (
    "user_id" TEXT NOT NULL,
    "bio" TEXT NOT NULL DEFAULT '',
    "avatar" BYTEA,
    "avatar_type" TEXT,
    "avatar_hash" TEXT,

    CONSTRAINT "profiles_pkey" PRIMARY KEY ("user_id")
);

-- CreateTable
CREATE TABLE "departures" (
    "user_id" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "departures_pkey" PRIMARY KEY ("user_id")
);

-- CreateTable
CREATE TABLE "reserved_names" (
    "username" TEXT NOT NULL,
    "until" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "reserved_names_pkey" PRIMARY KEY ("username")
);

-- CreateIndex
CREATE INDEX "departures_at_idx" ON "departures"("at");

-- CreateIndex
CREATE INDEX "reserved_names_until_idx" ON "reserved_names"("until");

-- AddForeignKey
ALTER TABLE "profiles" ADD CONSTRAINT "profiles_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "departures" ADD CONSTRAINT "departures_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;


-- What Prisma's schema cannot say

-- Whatever deletes a row of presence, the end of its node too, notes when its user was last here. A user who is being deleted
-- has no row any more.
CREATE FUNCTION "note_departures"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO departures (user_id, at) SELECT DISTINCT users.id, now() FROM gone JOIN users ON users.id = gone.user_id ORDER BY 1
    ON CONFLICT (user_id) DO UPDATE SET at = EXCLUDED.at;
  RETURN NULL;
END $$;
CREATE TRIGGER "presence_departures" AFTER DELETE ON "presence" REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION "note_departures"();
