-- AlterTable
ALTER TABLE "users" ADD COLUMN     "authenticator_reset_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "audit_log" (
    "id" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "admin_id" TEXT,
    "act" TEXT NOT NULL,
    "user_id" TEXT,
    "match_id" TEXT,
    "details" JSONB NOT NULL,
    "address" TEXT,

    CONSTRAINT "audit_log_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "audit_log_at_id_idx" ON "audit_log"("at", "id");

-- CreateIndex
CREATE INDEX "audit_log_user_id_at_id_idx" ON "audit_log"("user_id", "at", "id");

-- CreateIndex
CREATE INDEX "users_created_at_id_idx" ON "users"("created_at", "id");

-- CreateIndex
CREATE INDEX "users_username_prefix_idx" ON "users"("username" text_pattern_ops);

-- CreateIndex
CREATE INDEX "matches_created_at_id_idx" ON "matches"("created_at", "id");

-- Nobody changes the audit log, whatever the rows: not the server, and not a person with the server's password who does not
-- change the table itself first. ALWAYS: also where triggers are off, as in a session with the replica role.
CREATE FUNCTION "refuse_audit_change"() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'audit_log is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege'; END $$;
CREATE TRIGGER "audit_log_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "audit_log"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_audit_change"();
ALTER TABLE "audit_log" ENABLE ALWAYS TRIGGER "audit_log_append_only";
