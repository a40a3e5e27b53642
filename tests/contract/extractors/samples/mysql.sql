-- Films that are lent and records that are sold. Statements end at a semicolon and a newline.
CREATE TABLE language (
  language_id INT PRIMARY KEY,
  name VARCHAR(40) NOT NULL UNIQUE
);
CREATE TABLE actor (
  actor_id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
  first_name VARCHAR(45) NOT NULL,
  last_name VARCHAR(45) NOT NULL,
  full_name VARCHAR(91) AS (CONCAT(first_name, ' ', last_name)) VIRTUAL,
  initials CHAR(2) AS (CONCAT(LEFT(first_name, 1), LEFT(last_name, 1))) STORED,
  UNIQUE KEY actor_names (last_name, first_name)
);
CREATE TABLE category (
  category_id INT PRIMARY KEY,
  parent_id INT,
  name VARCHAR(25) COLLATE utf8mb4_bin NOT NULL,
  CONSTRAINT in_category FOREIGN KEY (parent_id) REFERENCES category (category_id) ON DELETE SET NULL
);
CREATE TABLE film (
  film_id INT PRIMARY KEY,
  title VARCHAR(200) NOT NULL,
  description TEXT,
  language_id INT NOT NULL,
  release_year INT CHECK (release_year > 1900),
  rental_rate DECIMAL(4, 2) DEFAULT 4.99 NOT NULL COMMENT 'per day',
  length_minutes INT,
  rating ENUM('G', 'PG', 'it''s R') DEFAULT 'G',
  changed_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  CONSTRAINT sensible CHECK (rental_rate >= 0 AND length_minutes > 0),
  CONSTRAINT spoken FOREIGN KEY (language_id) REFERENCES language (language_id)
    ON UPDATE CASCADE ON DELETE RESTRICT,
  KEY film_title (title(20)),
  FULLTEXT KEY film_words (title, description)
) COMMENT 'What can be rented; it''s one row a title';
CREATE TABLE film_actor (
  film_id INT,
  actor_id INT UNSIGNED,
  PRIMARY KEY (film_id, actor_id),
  FOREIGN KEY (film_id) REFERENCES film (film_id) ON DELETE CASCADE,
  FOREIGN KEY (actor_id) REFERENCES actor (actor_id)
);
CREATE TABLE film_category (
  film_id INT,
  category_id INT,
  PRIMARY KEY (film_id, category_id),
  FOREIGN KEY (film_id) REFERENCES film (film_id),
  FOREIGN KEY (category_id) REFERENCES category (category_id)
);
CREATE TABLE store (
  store_id INT PRIMARY KEY,
  city VARCHAR(50) DEFAULT 'Bern',
  opened_on DATE DEFAULT (CURRENT_DATE)
) ROW_FORMAT = COMPRESSED;
CREATE TABLE staff (
  staff_id INT PRIMARY KEY,
  store_id INT NOT NULL,
  manager_id INT,
  user_name VARCHAR(16),
  UNIQUE KEY one_user (user_name),
  FOREIGN KEY (store_id) REFERENCES store (store_id),
  CONSTRAINT managed FOREIGN KEY (manager_id) REFERENCES staff (staff_id)
);
CREATE TABLE customer (
  customer_id INT AUTO_INCREMENT PRIMARY KEY,
  store_id INT,
  email VARCHAR(50),
  is_active BOOLEAN DEFAULT true NOT NULL,
  UNIQUE (store_id, email),
  FOREIGN KEY (store_id) REFERENCES store (store_id)
);
CREATE TABLE rental (
  rental_id BIGINT PRIMARY KEY,
  film_id INT NOT NULL,
  customer_id INT NOT NULL,
  rented_at DATETIME(3) NOT NULL,
  returned_at DATETIME(3),
  CONSTRAINT back_later CHECK (returned_at >= rented_at),
  FOREIGN KEY (film_id) REFERENCES film (film_id),
  FOREIGN KEY (customer_id) REFERENCES customer (customer_id)
);
CREATE TABLE payment (
  payment_id BIGINT,
  rental_id BIGINT,
  customer_id INT NOT NULL,
  amount DECIMAL(8, 2) NOT NULL,
  paid_on DATE NOT NULL,
  PRIMARY KEY (payment_id, paid_on),
  KEY payment_day (customer_id, paid_on)
) PARTITION BY RANGE (YEAR(paid_on)) (
  PARTITION early VALUES LESS THAN (2020),
  PARTITION later VALUES LESS THAN MAXVALUE
);
CREATE TABLE artist (
  artist_id INT PRIMARY KEY,
  name VARCHAR(120)
);
CREATE TABLE album (
  album_id INT PRIMARY KEY,
  artist_id INT NOT NULL,
  title VARCHAR(160) NOT NULL,
  FOREIGN KEY (artist_id) REFERENCES artist (artist_id)
);
CREATE TABLE track (
  track_id INT PRIMARY KEY,
  album_id INT,
  name VARCHAR(200) NOT NULL,
  milliseconds INT,
  unit_price DECIMAL(6, 2),
  FOREIGN KEY (album_id) REFERENCES album (album_id)
);
CREATE TABLE `Invoice Line` (
  `Line No.` INT,
  `Invoice` INT,
  track_id INT,
  quantity INT DEFAULT 1,
  PRIMARY KEY (`Invoice`, `Line No.`),
  FOREIGN KEY (track_id) REFERENCES track (track_id)
);
CREATE VIEW film_list AS
  SELECT f.film_id AS fid, f.title, c.name AS category, f.rental_rate AS price,
    GROUP_CONCAT(CONCAT(a.first_name, ' ', a.last_name) SEPARATOR ', ') AS actors
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
CREATE VIEW `Lines in Full` AS
  WITH film AS (SELECT * FROM track)
  SELECT l.`Line No.`, film.name, l.quantity * film.unit_price AS `Price`
  FROM `Invoice Line` l JOIN film ON film.track_id = l.track_id;
