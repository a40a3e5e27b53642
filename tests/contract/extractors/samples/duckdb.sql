-- Films that are lent and records that are sold. Statements end at a semicolon and a newline.
CREATE SEQUENCE customer_number START 100;
CREATE TABLE language (
  language_id INTEGER PRIMARY KEY,
  name VARCHAR NOT NULL UNIQUE
);
CREATE TABLE actor (
  actor_id INTEGER PRIMARY KEY,
  first_name VARCHAR NOT NULL,
  last_name VARCHAR NOT NULL,
  full_name VARCHAR GENERATED ALWAYS AS (first_name || ' ' || last_name) VIRTUAL
);
CREATE TABLE category (
  category_id INTEGER PRIMARY KEY,
  parent_id INTEGER REFERENCES category (category_id),
  name VARCHAR NOT NULL
);
CREATE TABLE film (
  film_id INTEGER PRIMARY KEY,
  title VARCHAR NOT NULL,
  description VARCHAR,
  language_id INTEGER NOT NULL REFERENCES language (language_id),
  release_year INTEGER CHECK (release_year > 1900),
  rental_rate DECIMAL(4, 2) DEFAULT 4.99 NOT NULL,
  length_minutes INTEGER,
  rating ENUM('G', 'PG', 'R') DEFAULT 'G',
  features VARCHAR[],
  CHECK (rental_rate >= 0 AND length_minutes > 0)
);
CREATE TABLE film_actor (
  film_id INTEGER REFERENCES film (film_id),
  actor_id INTEGER REFERENCES actor (actor_id),
  PRIMARY KEY (film_id, actor_id)
);
CREATE TABLE film_category (
  film_id INTEGER REFERENCES film (film_id),
  category_id INTEGER REFERENCES category (category_id),
  PRIMARY KEY (film_id, category_id)
);
CREATE TABLE store (
  store_id INTEGER PRIMARY KEY,
  city VARCHAR DEFAULT 'Bern',
  opened_on DATE DEFAULT current_date
);
CREATE TABLE staff (
  staff_id INTEGER PRIMARY KEY,
  store_id INTEGER NOT NULL REFERENCES store (store_id),
  manager_id INTEGER REFERENCES staff (staff_id),
  user_name VARCHAR COLLATE NOCASE UNIQUE
);
CREATE TABLE customer (
  customer_id INTEGER DEFAULT nextval('customer_number') PRIMARY KEY,
  store_id INTEGER REFERENCES store (store_id),
  email VARCHAR,
  is_active BOOLEAN DEFAULT true NOT NULL,
  UNIQUE (store_id, email)
);
CREATE TABLE rental (
  rental_id BIGINT PRIMARY KEY,
  film_id INTEGER NOT NULL REFERENCES film (film_id),
  customer_id INTEGER NOT NULL REFERENCES customer (customer_id),
  rented_at TIMESTAMP NOT NULL,
  returned_at TIMESTAMP,
  CHECK (returned_at >= rented_at)
);
CREATE TABLE payment (
  payment_id BIGINT PRIMARY KEY,
  rental_id BIGINT REFERENCES rental (rental_id),
  customer_id INTEGER NOT NULL REFERENCES customer (customer_id),
  amount DECIMAL(8, 2) NOT NULL,
  paid_on DATE NOT NULL
);
CREATE TABLE artist (
  artist_id INTEGER PRIMARY KEY,
  name VARCHAR
);
CREATE TABLE album (
  album_id INTEGER PRIMARY KEY,
  artist_id INTEGER NOT NULL REFERENCES artist (artist_id),
  title VARCHAR NOT NULL
);
CREATE TABLE track (
  track_id INTEGER PRIMARY KEY,
  album_id INTEGER REFERENCES album (album_id),
  name VARCHAR NOT NULL,
  milliseconds INTEGER,
  unit_price DECIMAL(6, 2)
);
CREATE TABLE "Invoice Line" (
  "Line No." INTEGER,
  "Invoice" INTEGER,
  track_id INTEGER REFERENCES track (track_id),
  quantity INTEGER DEFAULT 1,
  PRIMARY KEY ("Invoice", "Line No.")
);
CREATE SCHEMA office;
CREATE TABLE office.budget (
  "Year" INTEGER PRIMARY KEY,
  planned DOUBLE
);
COMMENT ON TABLE film IS 'What can be rented; it''s one row a title';
COMMENT ON COLUMN film.rental_rate IS 'per day';
CREATE INDEX film_title ON film (title);
CREATE UNIQUE INDEX actor_names ON actor (last_name, first_name);
CREATE INDEX payment_day ON payment (customer_id, (year(paid_on)));
CREATE VIEW film_list AS
  SELECT f.film_id AS fid, f.title, c.name AS category, f.rental_rate AS price,
    string_agg(a.first_name || ' ' || a.last_name, ', ') AS actors
  FROM film f
  LEFT JOIN film_category fc ON fc.film_id = f.film_id
  LEFT JOIN category c ON c.category_id = fc.category_id
  LEFT JOIN film_actor fa ON fa.film_id = f.film_id
  LEFT JOIN actor a ON a.actor_id = fa.actor_id
  GROUP BY f.film_id, f.title, c.name, f.rental_rate;
CREATE VIEW cheap_films (film, price_in_cents) AS
  SELECT title, price * 100 FROM film_list WHERE price < 2;
CREATE VIEW sales_by_day AS
  SELECT paid_on, count(*) AS payments, sum(amount) AS total FROM payment GROUP BY paid_on;
CREATE VIEW titles AS
  SELECT title, 'film' AS kind FROM film UNION ALL SELECT title, 'album' FROM album;
CREATE VIEW "Lines in Full" AS
  WITH film AS (SELECT * FROM track)
  SELECT l."Line No.", film.name, l.quantity * film.unit_price AS "Price"
  FROM "Invoice Line" l JOIN film ON film.track_id = l.track_id;
CREATE VIEW office.results AS
  SELECT b."Year", b.planned, s.total FROM office.budget b
  LEFT JOIN main.sales_by_day s ON year(s.paid_on) = b."Year";
