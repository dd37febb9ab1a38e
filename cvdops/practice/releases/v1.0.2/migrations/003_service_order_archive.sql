CREATE TABLE service_order_archive (
  id INTEGER PRIMARY KEY,
  order_id INTEGER NOT NULL REFERENCES service_orders (id),
  archived_at TEXT NOT NULL
);
