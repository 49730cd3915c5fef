CREATE TABLE cinema_shows (
  id text PRIMARY KEY,
  title text NOT NULL,
  -- Grows by one with every change of its seats: the seq of cinema.onSeats.
  version int NOT NULL DEFAULT 1
);

CREATE TABLE cinema_seats (
  show_id text NOT NULL REFERENCES cinema_shows (id) ON DELETE CASCADE,
  seat int NOT NULL,
  user_id text REFERENCES users (id) ON DELETE SET NULL,
  held_until timestamptz(3),
  booked boolean NOT NULL DEFAULT false,
  PRIMARY KEY (show_id, seat)
);
CREATE INDEX cinema_seats_held_until ON cinema_seats (held_until) WHERE NOT booked;

INSERT INTO cinema_shows (id, title) VALUES ('tonight', 'Metropolis');
INSERT INTO cinema_seats (show_id, seat) SELECT 'tonight', seat FROM generate_series(1, 100) AS seat;
