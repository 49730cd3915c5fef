-- CreateTable
CREATE TABLE "periodic_jobs" (
    "name" TEXT NOT NULL,
    "ran_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "periodic_jobs_pkey" PRIMARY KEY ("name")
);
