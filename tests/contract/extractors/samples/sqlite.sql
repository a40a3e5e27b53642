-- Films that are lent and records that are sold. Statements end at a semicolon and a newline.
CREATE TABLE language (
  language_id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
);
CREATE TABLE actor (
  actor_id INTEGER PRIMARY KEY AUTOINCREMENT,
  first_name TEXT NOT NULL,
  last_name TEXT NOT NULL,
  full_name TEXT GENERATED ALWAYS AS (first_name || ' ' || last_name) VIRTUAL,
  initials TEXT AS (substr(first_name, 1, 1) || substr(last_name, 1, 1)) STORED
);
CREATE TABLE category (
  category_id INTEGER PRIMARY KEY,
  parent_id INTEGER REFERENCES category ON DELETE SET NULL,
  name TEXT NOT NULL COLLATE NOCASE
);
CREATE TABLE film (
  film_id INTEGER PRIMARY KEY,
  title VARCHAR(200) NOT NULL,
  description TEXT,
  language_id INTEGER NOT NULL REFERENCES language (language_id) ON UPDATE CASCADE ON DELETE RESTRICT,
  release_year INTEGER CHECK (release_year > 1900), -- a year, (of course
  rental_rate DECIMAL(4, 2) DEFAULT 4.99 NOT NULL,
  length_minutes INTEGER,
  rating TEXT DEFAULT 'G' CONSTRAINT known_rating CHECK (rating IN ('G', 'PG', ')', 'R')),
  CHECK (rental_rate >= 0 AND length_minutes > 0)
);
CREATE TABLE film_actor (
  film_id INTEGER REFERENCES film (film_id) ON DELETE CASCADE,
  actor_id INTEGER REFERENCES actor (actor_id),
  PRIMARY KEY (film_id, actor_id)
) WITHOUT ROWID;
CREATE TABLE film_category (
  film_id INTEGER,
  category_id INTEGER,
  CONSTRAINT film_category_pk PRIMARY KEY (film_id, category_id),
  CONSTRAINT of_film FOREIGN KEY (film_id) REFERENCES film (film_id) DEFERRABLE INITIALLY DEFERRED,
  FOREIGN KEY (category_id) REFERENCES category (category_id)
);
CREATE TABLE store (
  store_id INTEGER PRIMARY KEY,
  city TEXT DEFAULT 'Bern',
  opened_on TEXT DEFAULT CURRENT_DATE
) STRICT;
CREATE TABLE staff (
  staff_id INTEGER PRIMARY KEY,
  store_id INTEGER NOT NULL REFERENCES store (store_id),
  manager_id INTEGER REFERENCES staff (staff_id),
  user_name TEXT COLLATE NOCASE CONSTRAINT one_user UNIQUE
);
CREATE TABLE customer (
  customer_id INTEGER PRIMARY KEY AUTOINCREMENT,
  store_id INTEGER REFERENCES store (store_id),
  email TEXT,
  is_active BOOLEAN DEFAULT (1) NOT NULL,
  UNIQUE (store_id, email)
);
CREATE TABLE rental (
  rental_id INTEGER PRIMARY KEY,
  film_id INTEGER NOT NULL REFERENCES film (film_id),
  customer_id INTEGER NOT NULL REFERENCES customer (customer_id),
  rented_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  returned_at TIMESTAMP,
  CONSTRAINT back_later CHECK (returned_at >= rented_at)
);
CREATE TABLE payment (
  payment_id INTEGER PRIMARY KEY,
  rental_id INTEGER REFERENCES rental (rental_id),
  customer_id INTEGER NOT NULL REFERENCES customer (customer_id),
  amount DECIMAL(8, 2) NOT NULL,
  paid_on DATE NOT NULL
);
CREATE TABLE artist (
  artist_id INTEGER PRIMARY KEY,
  name TEXT
);
CREATE TABLE album (
  album_id INTEGER PRIMARY KEY,
  artist_id INTEGER NOT NULL REFERENCES artist (artist_id),
  title TEXT NOT NULL
);
CREATE TABLE track (
  track_id INTEGER PRIMARY KEY,
  album_id INTEGER REFERENCES album (album_id),
  name TEXT NOT NULL,
  milliseconds INTEGER,
  unit_price DECIMAL(6, 2)
);
CREATE TABLE "Invoice Line" (
  [Line No.] INTEGER,
  `Invoice` INTEGER,
  track_id INTEGER REFERENCES track (track_id),
  quantity INTEGER DEFAULT 1,
  PRIMARY KEY ("Invoice", "Line No.")
);
CREATE INDEX film_title ON film (title);
CREATE UNIQUE INDEX actor_names ON actor (last_name, first_name DESC);
CREATE INDEX payment_day ON payment (customer_id, substr(paid_on, 1, 4)) WHERE amount > 0;
CREATE VIEW film_list AS
  SELECT f.film_id AS fid, f.title, c.name AS category, f.rental_rate AS price,
    group_concat(a.first_name || ' ' || a.last_name, ', ') AS actors
  FROM film f
  LEFT JOIN film_category fc ON fc.film_id = f.film_id
  LEFT JOIN category c ON c.category_id = fc.category_id
  LEFT JOIN film_actor fa ON fa.film_id = f.film_id
  LEFT JOIN actor a ON a.actor_id = fa.actor_id
  GROUP BY f.film_id, f.title, c.name, f.rental_rate;
CREATE VIEW cheap_films (film, price_in_cents) AS
  SELECT title, price * 100 FROM Film_List WHERE price < 2;
CREATE VIEW sales_by_day AS
  SELECT paid_on, count(*) AS payments, sum(amount) AS total FROM payment GROUP BY paid_on;
CREATE VIEW titles AS
  SELECT title, 'film' AS kind FROM film UNION ALL SELECT title, 'album' FROM album;
CREATE VIEW "Lines in Full" AS
  WITH film AS (SELECT * FROM track)
  SELECT l."Line No.", film.name, l.quantity * film.unit_price AS "Price"
  FROM [Invoice Line] l JOIN film ON film.track_id = l.track_id;
