CREATE TABLE users (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  role TEXT NOT NULL,
  active INTEGER NOT NULL DEFAULT 1,
  salt TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  last_login TEXT
);
CREATE TABLE planograms (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  slots INTEGER NOT NULL
);
CREATE TABLE devices (
  id INTEGER PRIMARY KEY,
  serial TEXT NOT NULL UNIQUE,
  location TEXT NOT NULL,
  status TEXT NOT NULL,
  planogram_id INTEGER NOT NULL REFERENCES planograms (id)
);
CREATE TABLE service_orders (
  id INTEGER PRIMARY KEY,
  device_id INTEGER NOT NULL REFERENCES devices (id),
  kind TEXT NOT NULL,
  status TEXT NOT NULL,
  created_at TEXT NOT NULL,
  closed_at TEXT
);
