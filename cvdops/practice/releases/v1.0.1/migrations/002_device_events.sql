CREATE TABLE device_events (
  id INTEGER PRIMARY KEY,
  device_id INTEGER NOT NULL REFERENCES devices (id),
  kind TEXT NOT NULL,
  happened_at TEXT NOT NULL
);
CREATE INDEX device_events_of_device ON device_events (device_id, happened_at);
